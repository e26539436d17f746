//! `wasi:keyvalue/store`: the keys and values of the object, under the name of the draft.

use wasmtime::component::Resource;

use super::{
    bindings::{
        dolmen::object::storage::ListOptions,
        wasi::keyvalue::store::{self, Error, KeyResponse},
    },
    state::State,
    storage::{self, Failure, told},
};

/// Names that the one store can be opened by.
const NAMES: [&str; 2] = ["", "default"];
/// Keys of one page of a list.
const PAGE: u32 = 1_000;

/// The store, opened.
pub struct Bucket;

type Answer<T> = wasmtime::Result<Result<T, Error>>;

/// As [`told`], with the draft's error.
fn answer<T>(done: Result<T, Failure>) -> Answer<T> {
    Ok(told(done)?.map_err(Error::Other))
}

impl store::Host for State {
    async fn open(&mut self, identifier: String) -> Answer<Resource<Bucket>> {
        if let Err(error) = answer(storage::in_object(&self.host))? {
            return Ok(Err(error));
        }
        if !NAMES.contains(&identifier.as_str()) {
            return Ok(Err(Error::NoSuchStore));
        }
        Ok(Ok(self.table.push(Bucket)?))
    }
}

impl store::HostBucket for State {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
        self.table.get(&bucket)?;
        answer(self.errand(move |host, _| storage::get(host, &key)).await)
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
        self.table.get(&bucket)?;
        answer(
            self.errand(move |host, writes| storage::put(host, writes, &key, &value))
                .await,
        )
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<()> {
        self.table.get(&bucket)?;
        let deleted = self
            .errand(move |host, writes| storage::delete(host, writes, &key))
            .await;
        answer(deleted.map(|_| ()))
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<bool> {
        self.table.get(&bucket)?;
        answer(
            self.errand(move |host, _| storage::exists(host, &key))
                .await,
        )
    }

    /// The cursor is the last key of the page before.
    async fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Answer<KeyResponse> {
        self.table.get(&bucket)?;
        let options = ListOptions {
            prefix: None,
            start: None,
            start_after: cursor,
            end: None,
            reverse: false,
            limit: Some(PAGE),
        };
        let listed = self.errand(move |host, _| {
            let mut keys = Vec::new();
            storage::each(host, &options, |key, _| {
                keys.push(key.to_owned());
                Ok(0)
            })?;
            Ok(keys)
        });
        answer(listed.await.map(|keys| KeyResponse {
            cursor: keys.last().filter(|_| keys.len() == PAGE as usize).cloned(),
            keys,
        }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> wasmtime::Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}
