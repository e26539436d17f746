//! Files of a WASM object, kept in its database: an entry for each file or directory in
//! `_cf_DOLMEN_FILES`, and the bytes in pages in `_cf_DOLMEN_PAGES`. A page that is not there is zero.
//! The prefix `_cf_` is reserved, so user SQL reaches neither.

use rusqlite::{Connection, OptionalExtension, Row};

use super::Database;
use crate::error::Result;
use crate::template::Template;

/// Bytes of one page of a file.
const PAGE: u64 = 16 << 10;
/// The number of the directory that all others are in.
pub const ROOT_DIRECTORY: i64 = 0;

const CREATE: &str = "
    CREATE TABLE IF NOT EXISTS _cf_DOLMEN_FILES (
        id INTEGER PRIMARY KEY,
        parent INTEGER NOT NULL,
        name TEXT NOT NULL,
        is_directory INTEGER NOT NULL,
        size INTEGER NOT NULL,
        modified_ms INTEGER NOT NULL,
        UNIQUE (parent, name)
    );
    CREATE TABLE IF NOT EXISTS _cf_DOLMEN_PAGES (
        file INTEGER NOT NULL,
        page INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (file, page)
    ) WITHOUT ROWID;";
const COLUMNS: &str = "id, is_directory, size, modified_ms";

/// A file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its number, random, so that who has a removed file open does not meet another one.
    pub id: i64,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Bytes.
    pub size: u64,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
}

impl FileEntry {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            is_directory: row.get(1)?,
            size: row.get::<_, i64>(2)?.unsigned_abs(),
            modified_ms: row.get(3)?,
        })
    }
}

impl Database {
    /// What `name` is in the directory `parent`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn find_file(&mut self, parent: i64, name: &str) -> Result<Option<FileEntry>> {
        let sql = format!("SELECT {COLUMNS} FROM _cf_DOLMEN_FILES WHERE parent = ?1 AND name = ?2");
        self.read_files(None, |db| {
            db.prepare_cached(&sql)?
                .query_row((parent, name), FileEntry::of)
                .optional()
        })
    }

    /// The entry with the number `id`; `None` once it is removed.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn file(&mut self, id: i64) -> Result<Option<FileEntry>> {
        let sql = format!("SELECT {COLUMNS} FROM _cf_DOLMEN_FILES WHERE id = ?1");
        self.read_files(None, |db| {
            db.prepare_cached(&sql)?
                .query_row([id], FileEntry::of)
                .optional()
        })
    }

    /// At most `limit` entries of a directory with their names, in the order of these, after `skip`.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn list_files(
        &mut self,
        parent: i64,
        skip: usize,
        limit: usize,
    ) -> Result<Vec<(String, FileEntry)>> {
        let sql = format!(
            "SELECT {COLUMNS}, name FROM _cf_DOLMEN_FILES WHERE parent = ?1 ORDER BY name LIMIT ?3 OFFSET ?2"
        );
        self.read_files(Vec::new(), |db| {
            db.prepare_cached(&sql)?
                .query_map((parent, signed(skip as u64), signed(limit as u64)), |row| {
                    Ok((row.get(4)?, FileEntry::of(row)?))
                })?
                .collect()
        })
    }

    /// The same, after a name.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn list_files_after(
        &mut self,
        parent: i64,
        name: &str,
        limit: usize,
    ) -> Result<Vec<(String, FileEntry)>> {
        let sql = format!(
            "SELECT {COLUMNS}, name FROM _cf_DOLMEN_FILES WHERE parent = ?1 AND name > ?2 ORDER BY name LIMIT ?3"
        );
        self.read_files(Vec::new(), |db| {
            db.prepare_cached(&sql)?
                .query_map((parent, name, signed(limit as u64)), |row| {
                    Ok((row.get(4)?, FileEntry::of(row)?))
                })?
                .collect()
        })
    }

    /// How many entries there are, and the bytes of all files.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn files_usage(&mut self) -> Result<(usize, u64)> {
        self.read_files((0, 0), |db| {
            db.prepare_cached("SELECT count(*), coalesce(sum(size), 0) FROM _cf_DOLMEN_FILES")?
                .query_row((), |row| {
                    let (entries, bytes): (i64, i64) = (row.get(0)?, row.get(1)?);
                    Ok((entries.unsigned_abs() as usize, bytes.unsigned_abs()))
                })
        })
    }

    /// Makes an entry in a directory that has none of that name.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn make_file(
        &mut self,
        parent: i64,
        name: &str,
        is_directory: bool,
        now_ms: i64,
    ) -> Result<FileEntry> {
        self.begin_write(Template::Empty)?;
        if !self.has_files()? {
            self.connection()?
                .execute_batch(CREATE)
                .map_err(|e| self.failed("make the tables for files", e))?;
            self.tables.files = Some(true);
        }
        let id = self.write_files(|db| {
            db.prepare_cached(
                "INSERT INTO _cf_DOLMEN_FILES (id, parent, name, is_directory, size, modified_ms)
                 VALUES (random() & 0x7fffffffffffffff, ?1, ?2, ?3, 0, ?4)",
            )?
            .execute((parent, name, is_directory, now_ms))?;
            Ok(db.last_insert_rowid())
        })?;
        Ok(FileEntry {
            id,
            is_directory,
            size: 0,
            modified_ms: now_ms,
        })
    }

    /// Removes a file with its bytes, or a directory, which must be empty.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn remove_file(&mut self, id: i64) -> Result<()> {
        self.write_files(|db| {
            db.prepare_cached("DELETE FROM _cf_DOLMEN_PAGES WHERE file = ?1")?
                .execute([id])?;
            db.prepare_cached("DELETE FROM _cf_DOLMEN_FILES WHERE id = ?1")?
                .execute([id])
        })?;
        Ok(())
    }

    /// Gives an entry another place, where nothing is.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn move_file(&mut self, id: i64, parent: i64, name: &str) -> Result<()> {
        self.write_files(|db| {
            db.prepare_cached("UPDATE _cf_DOLMEN_FILES SET parent = ?2, name = ?3 WHERE id = ?1")?
                .execute((id, parent, name))
        })?;
        Ok(())
    }

    /// The directory that an entry is in; `None` of the root, and of what is removed.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn parent_of_file(&mut self, id: i64) -> Result<Option<i64>> {
        self.read_files(None, |db| {
            db.prepare_cached("SELECT parent FROM _cf_DOLMEN_FILES WHERE id = ?1")?
                .query_row([id], |row| row.get(0))
                .optional()
        })
    }

    /// Copies what a file has from `offset` on into `into`; says how many bytes.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn read_file(&mut self, id: i64, offset: u64, into: &mut [u8]) -> Result<usize> {
        let size = self.file(id)?.map_or(0, |file| file.size);
        let length = size.saturating_sub(offset).min(into.len() as u64) as usize;
        let into = &mut into[..length];
        into.fill(0);
        if length == 0 {
            return Ok(0);
        }
        let last = (offset + length as u64 - 1) / PAGE;
        self.read_files((), |db| {
            let mut statement = db.prepare_cached(
                "SELECT page, bytes FROM _cf_DOLMEN_PAGES WHERE file = ?1 AND page BETWEEN ?2 AND ?3",
            )?;
            let mut rows = statement.query((id, signed(offset / PAGE), signed(last)))?;
            while let Some(row) = rows.next()? {
                let begins = row.get::<_, i64>(0)?.unsigned_abs() * PAGE;
                let bytes = row.get_ref(1)?.as_blob()?;
                let skip = offset.saturating_sub(begins) as usize;
                let to = begins.saturating_sub(offset) as usize;
                let part = bytes.get(skip..).unwrap_or_default();
                let part = &part[..part.len().min(length - to)];
                into[to..to + part.len()].copy_from_slice(part);
            }
            Ok(())
        })?;
        Ok(length)
    }

    /// Writes bytes into a file that is there, which grows if they go beyond its end.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn write_file(&mut self, id: i64, offset: u64, bytes: &[u8], now_ms: i64) -> Result<()> {
        let (mut at, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let (page, within) = (at / PAGE, (at % PAGE) as usize);
            let (part, tail) = rest.split_at(rest.len().min(PAGE as usize - within));
            self.write_page(id, page, within, part)?;
            at += part.len() as u64;
            rest = tail;
        }
        self.write_files(|db| {
            db.prepare_cached(
                "UPDATE _cf_DOLMEN_FILES SET size = max(size, ?2), modified_ms = ?3 WHERE id = ?1",
            )?
            .execute((id, signed(at), now_ms))
        })?;
        Ok(())
    }

    fn write_page(&mut self, id: i64, page: u64, within: usize, part: &[u8]) -> Result<()> {
        self.write_files(|db| {
            let mut bytes = Vec::new();
            // What a page has besides is read first, unless it is written whole.
            if part.len() < PAGE as usize {
                let old: Option<Vec<u8>> = db
                    .prepare_cached(
                        "SELECT bytes FROM _cf_DOLMEN_PAGES WHERE file = ?1 AND page = ?2",
                    )?
                    .query_row((id, signed(page)), |row| row.get(0))
                    .optional()?;
                bytes = old.unwrap_or_default();
            }
            if bytes.len() < within + part.len() {
                bytes.resize(within + part.len(), 0);
            }
            bytes[within..within + part.len()].copy_from_slice(part);
            db.prepare_cached(
                "INSERT INTO _cf_DOLMEN_PAGES (file, page, bytes) VALUES (?1, ?2, ?3)
                 ON CONFLICT (file, page) DO UPDATE SET bytes = excluded.bytes",
            )?
            .execute((id, signed(page), bytes))
        })?;
        Ok(())
    }

    /// Cuts a file, or lets it grow by zeros.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn resize_file(&mut self, id: i64, size: u64, now_ms: i64) -> Result<()> {
        self.write_files(|db| {
            let (page, within) = (signed(size / PAGE), signed(size % PAGE));
            db.prepare_cached("DELETE FROM _cf_DOLMEN_PAGES WHERE file = ?1 AND page > ?2")?
                .execute((id, page))?;
            db.prepare_cached(
                "UPDATE _cf_DOLMEN_PAGES SET bytes = substr(bytes, 1, ?3) WHERE file = ?1 AND page = ?2",
            )?
            .execute((id, page, within))?;
            db.prepare_cached(
                "UPDATE _cf_DOLMEN_FILES SET size = ?2, modified_ms = ?3 WHERE id = ?1",
            )?
            .execute((id, signed(size), now_ms))
        })?;
        Ok(())
    }

    fn has_files(&mut self) -> Result<bool> {
        if let Some(known) = self.tables.files {
            return Ok(known);
        }
        let found = self.has_table("_cf_DOLMEN_FILES")?;
        self.tables.files = Some(found);
        Ok(found)
    }

    /// Reads, or gives `without` while there are no files.
    fn read_files<T>(
        &mut self,
        without: T,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        if self.reading()?.is_none() || !self.has_files()? {
            return Ok(without);
        }
        work(self.connection()?).map_err(|e| self.failed("read a file", e))
    }

    /// Writes where the tables are.
    fn write_files<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        self.begin_write(Template::Empty)?;
        work(self.connection()?).map_err(|e| self.failed("write a file", e))
    }
}

/// Sizes stay far below 2^63: the runtime bounds them.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
