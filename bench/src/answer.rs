//! Reading one HTTP/1.1 answer from the front of a buffer.

use std::borrow::Cow;

use anyhow::{Context, Result, bail};

/// More headers than a server here has reason to send.
const MOST_HEADERS: usize = 64;

/// One whole answer.
#[derive(Debug)]
pub struct Answer<'a> {
    /// The HTTP status code.
    pub status: u16,
    /// The body, put together when it came in chunks.
    pub body: Cow<'a, [u8]>,
    /// How many bytes of the buffer the answer took.
    pub length: usize,
}

impl<'a> Answer<'a> {
    /// The answer at the front of `input`, or `None` when it is not all there yet.
    pub fn parse(input: &'a [u8]) -> Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head) =
            response.parse(input).context("the answer is not HTTP")?
        else {
            return Ok(None);
        };
        let status = response.code.context("the answer has no status")?;
        let rest = &input[head..];
        let mut body_length = None;
        for header in response.headers.iter() {
            if header.name.eq_ignore_ascii_case("content-length") {
                let length = std::str::from_utf8(header.value)?.trim().parse::<usize>();
                body_length = Some(length.context("the answer's length is not a number")?);
            } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
                let chunks = read_chunks(rest)?;
                return Ok(chunks.map(|(body, taken)| Answer {
                    status,
                    body: Cow::Owned(body),
                    length: head + taken,
                }));
            }
        }
        let Some(body_length) = body_length else {
            bail!("the answer with status {status} has no length")
        };
        let body = rest.get(..body_length);
        Ok(body.map(|body| Answer {
            status,
            body: Cow::Borrowed(body),
            length: head + body_length,
        }))
    }

    /// The body for a message, cut when it is long.
    pub fn text(&self) -> String {
        const LONGEST: usize = 300;
        String::from_utf8_lossy(&self.body[..self.body.len().min(LONGEST)]).into_owned()
    }
}

/// Reads a chunked body: its bytes and how much of `input` it took, or `None` when it is not all there yet.
fn read_chunks(input: &[u8]) -> Result<Option<(Vec<u8>, usize)>> {
    const LINE_END: usize = 2;
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Ok(size) = httparse::parse_chunk_size(&input[at..]) else {
            bail!("a chunk of the answer has no size")
        };
        let httparse::Status::Complete((line, size)) = size else {
            return Ok(None);
        };
        let from = at + line;
        let to = from + usize::try_from(size)?;
        if input.len() < to + LINE_END {
            return Ok(None);
        }
        body.extend_from_slice(&input[from..to]);
        at = to + LINE_END;
        if size == 0 {
            return Ok(Some((body, at)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_only_when_all_of_it_is_there() {
        let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".as_slice();
        let chunked = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n".as_slice();
        for (input, status) in [(plain, 200), (chunked, 500)] {
            for cut in 0..input.len() {
                assert!(
                    Answer::parse(&input[..cut]).unwrap().is_none(),
                    "taken at {cut} of {}",
                    input.len()
                );
            }
            let answer = Answer::parse(input).unwrap().unwrap();
            assert_eq!(
                (answer.status, &*answer.body, answer.length),
                (status, b"hello".as_slice(), input.len())
            );
        }
    }
}
