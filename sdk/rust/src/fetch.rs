//! Requests to other servers. The object does nothing else in the meantime, and what was written
//! before is durable when a request leaves. The host follows redirects and applies `--egress`.

use crate::{
    block::Block,
    headers,
    host::{Error, taken},
    imports,
    view::{SLOT, View},
};

/// The slots of a request and of an answer.
const SLOTS: usize = 4;

/// Requests that [`many`] takes at once.
pub const MAX_TOGETHER: usize = 64;

/// A request to another server.
#[derive(Debug, Clone)]
pub struct Fetch {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// The answer of another server, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The type of the body, "" if the server did not say.
    pub content_type: String,
    /// The whole body.
    pub body: Vec<u8>,
    headers: String,
}

/// GET from a URL.
pub fn get(url: impl Into<String>) -> Fetch {
    Fetch::new("GET", url)
}

impl Fetch {
    /// A request without headers and body.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self {
            method: method.to_owned(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body and its type.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut fetch = self.header("content-type", content_type);
        fetch.body = body.into();
        fetch
    }

    /// Sends it, and waits for the whole answer.
    ///
    /// # Errors
    /// If there is no answer: the reason. If a header cannot be sent.
    pub fn send(&self) -> Result<Answer, Error> {
        let mut block = block(std::slice::from_ref(self))?;
        // SAFETY: the host reads the slots, which the block keeps in their place.
        let result = unsafe { imports::fetch(block.place()) };
        let result = taken(result, || self.what())?;
        self.answer(result.view(), 0)
    }

    fn what(&self) -> String {
        format!("fetch of {}", self.url)
    }

    fn answer(&self, view: View<'_>, at: usize) -> Result<Answer, Error> {
        let text = |slot| String::from_utf8_lossy(view.text(at + slot * SLOT)).into_owned();
        match u16::try_from(view.i32(at)).unwrap_or(0) {
            0 => Err(Error::new(self.what(), text(2))),
            status => Ok(Answer {
                status,
                content_type: text(1),
                body: view.text(at + 2 * SLOT).to_vec(),
                headers: text(3),
            }),
        }
    }
}

impl Answer {
    /// The value of a header, whatever the case of its name; the first, if there are several.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers();
        headers
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All headers.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .lines()
            .filter_map(|line| line.split_once(": "))
    }
}

/// Sends all at the same time, 64 at most, and waits for all answers, which have their order.
///
/// # Errors
/// If the host refuses them, there are more, or a header cannot be sent. What fails alone is an error in its place.
pub fn many(requests: &[Fetch]) -> Result<Vec<Result<Answer, Error>>, Error> {
    let what = || format!("fetch of {} URLs", requests.len());
    if requests.len() > MAX_TOGETHER {
        return Err(Error::new(what(), format!("{MAX_TOGETHER} are the most")));
    }
    let mut block = block(requests)?;
    // SAFETY: the host reads the slots, which the block keeps in their place.
    let result = unsafe { imports::fetch_many(block.place(), requests.len()) };
    let result = taken(result, what)?;
    let answers = requests.iter().enumerate();
    Ok(answers
        .map(|(index, request)| request.answer(result.view(), index * SLOTS * SLOT))
        .collect())
}

fn block(requests: &[Fetch]) -> Result<Block, Error> {
    let mut block = Block::new(requests.len() * SLOTS);
    for (index, request) in requests.iter().enumerate() {
        let at = index * SLOTS;
        block.string(at, &request.method);
        block.string(at + 1, &request.url);
        block.bytes(at + 2, &request.body);
        let lines = headers::lines(&request.headers);
        block.string(
            at + 3,
            &lines.map_err(|fault| Error::new(request.what(), fault))?,
        );
    }
    Ok(block)
}
