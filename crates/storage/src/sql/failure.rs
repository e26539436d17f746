//! What user code is told when SQLite fails: `<message>[ at offset N]: SQLITE_CODE[ (extended: SQLITE_CODE_MORE)]`.

use std::ffi::c_int;

use rusqlite::ffi;

pub(super) fn describe(message: &str, offset: Option<u32>, extended: c_int) -> String {
    let mut text = message.to_owned();
    if let Some(offset) = offset {
        text += &format!(" at offset {offset}");
    }
    let primary = extended & 0xff;
    text += &format!(": {}", name(primary));
    if extended != primary {
        text += &format!(" (extended: {})", name(extended));
    }
    text
}

fn name(code: c_int) -> std::borrow::Cow<'static, str> {
    match NAMES.iter().find(|(known, _)| *known == code) {
        Some((_, name)) => (*name).into(),
        None => format!("SQLITE_ERROR_{code}").into(),
    }
}

macro_rules! names {
    ($($name:ident)*) => {
        const NAMES: &[(c_int, &str)] = &[$((ffi::$name, stringify!($name)),)*];
    };
}

names! {
    SQLITE_ERROR SQLITE_INTERNAL SQLITE_PERM SQLITE_ABORT SQLITE_BUSY SQLITE_LOCKED SQLITE_NOMEM SQLITE_READONLY
    SQLITE_INTERRUPT SQLITE_IOERR SQLITE_CORRUPT SQLITE_NOTFOUND SQLITE_FULL SQLITE_CANTOPEN SQLITE_PROTOCOL
    SQLITE_EMPTY SQLITE_SCHEMA SQLITE_TOOBIG SQLITE_CONSTRAINT SQLITE_MISMATCH SQLITE_MISUSE SQLITE_NOLFS SQLITE_AUTH
    SQLITE_FORMAT SQLITE_RANGE SQLITE_NOTADB SQLITE_NOTICE SQLITE_WARNING
    SQLITE_ABORT_ROLLBACK SQLITE_BUSY_RECOVERY SQLITE_BUSY_SNAPSHOT SQLITE_CORRUPT_INDEX SQLITE_CORRUPT_SEQUENCE
    SQLITE_CORRUPT_VTAB SQLITE_LOCKED_SHAREDCACHE SQLITE_LOCKED_VTAB
    SQLITE_CONSTRAINT_CHECK SQLITE_CONSTRAINT_COMMITHOOK SQLITE_CONSTRAINT_DATATYPE SQLITE_CONSTRAINT_FOREIGNKEY
    SQLITE_CONSTRAINT_FUNCTION SQLITE_CONSTRAINT_NOTNULL SQLITE_CONSTRAINT_PINNED SQLITE_CONSTRAINT_PRIMARYKEY
    SQLITE_CONSTRAINT_ROWID SQLITE_CONSTRAINT_TRIGGER SQLITE_CONSTRAINT_UNIQUE SQLITE_CONSTRAINT_VTAB
    SQLITE_IOERR_READ SQLITE_IOERR_SHORT_READ SQLITE_IOERR_WRITE SQLITE_IOERR_FSYNC SQLITE_IOERR_TRUNCATE
    SQLITE_IOERR_FSTAT SQLITE_IOERR_NOMEM SQLITE_IOERR_ACCESS SQLITE_IOERR_LOCK SQLITE_IOERR_CORRUPTFS
    SQLITE_ERROR_MISSING_COLLSEQ SQLITE_ERROR_RETRY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extended_code_follows_the_primary_one() {
        assert_eq!(
            describe(
                "UNIQUE constraint failed: u.a",
                None,
                ffi::SQLITE_CONSTRAINT_UNIQUE
            ),
            "UNIQUE constraint failed: u.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)"
        );
        assert_eq!(
            describe("near \"selec\": syntax error", Some(0), ffi::SQLITE_ERROR),
            "near \"selec\": syntax error at offset 0: SQLITE_ERROR"
        );
    }
}
