//! A lake under a prefix of an S3 bucket.
//!
//! The interface blocks; the SDK's futures run on a runtime of this module's own. Never call it from a task of
//! another tokio runtime, use `spawn_blocking` there.

use std::fmt;
use std::sync::OnceLock;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use futures::{StreamExt as _, TryStreamExt as _};
use tempfile::NamedTempFile;

use super::{Fetched, Level, Listed, StorageError};

/// Uploads at a time.
const PARALLEL: usize = 16;

/// A prefix of a bucket.
pub struct Bucket {
    bucket: String,
    /// Empty, or ends with `/`.
    prefix: String,
    client: Client,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({self})")
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "s3://{}",
            format!("{}/{}", self.bucket, self.prefix).trim_end_matches('/')
        )
    }
}

fn runtime() -> Result<&'static tokio::runtime::Runtime, StorageError> {
    static RUNTIME: OnceLock<Option<tokio::runtime::Runtime>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .ok()
        })
        .as_ref()
        .ok_or_else(|| StorageError::new("s3", "", "can't start the threads for network access"))
}

fn is_denied<E>(error: &SdkError<E>) -> bool {
    let response = error.raw_response();
    response.is_some_and(|response| response.status().as_u16() == 403)
}

impl Bucket {
    /// `rest` is what follows `s3://`.
    pub(super) fn open(rest: &str, profile: Option<&str>) -> Result<Self, StorageError> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(StorageError::new(
                format!("s3://{rest}"),
                "",
                "no bucket: give s3://bucket/prefix",
            ));
        }
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        };
        let client = runtime()?.block_on(async {
            let mut loader = aws_config::defaults(aws_config::BehaviorVersion::latest());
            if let Some(profile) = profile {
                loader = loader.profile_name(profile);
            }
            let config = loader.load().await;
            // An endpoint of one's own (a test server, MinIO) rarely resolves bucket names as hosts.
            let path_style = config.endpoint_url().is_some()
                || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
            Client::from_conf(
                aws_sdk_s3::config::Builder::from(&config)
                    .force_path_style(path_style)
                    .build(),
            )
        });
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix,
            client,
        })
    }

    fn key(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn error<E: ProvideErrorMetadata + std::error::Error + 'static>(
        &self,
        key: &str,
        error: &SdkError<E>,
    ) -> StorageError {
        let message = match error.as_service_error() {
            Some(service) => format!(
                "{}: {}",
                service.code().unwrap_or("error"),
                service.message().unwrap_or("no message")
            ),
            None => DisplayErrorContext(error).to_string(),
        };
        StorageError::new(self, key, message)
    }

    async fn put_stream(&self, key: &str, body: ByteStream) -> Result<(), StorageError> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key(key))
            .body(body);
        request
            .send()
            .await
            .map(drop)
            .map_err(|error| self.error(key, &error))
    }

    pub(super) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StorageError> {
        runtime()?.block_on(self.put_stream(key, ByteStream::from(bytes.to_vec())))
    }

    pub(super) fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool, StorageError> {
        runtime()?.block_on(async {
            let body = ByteStream::from(bytes.to_vec());
            let request = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(self.key(key))
                .if_none_match("*")
                .body(body);
            match request.send().await {
                Ok(_) => Ok(true),
                // Two writers at once: the loser gets a conflict or a failed precondition, depending on who was first.
                Err(error)
                    if error.raw_response().is_some_and(|response| {
                        matches!(response.status().as_u16(), 409 | 412)
                    }) =>
                {
                    Ok(false)
                }
                Err(error) => Err(self.error(key, &error)),
            }
        })
    }

    async fn put_one(&self, key: &str, file: NamedTempFile) -> Result<(), StorageError> {
        let body = ByteStream::from_path(file.path())
            .await
            .map_err(|error| StorageError::new(self, key, error))?;
        self.put_stream(key, body).await
    }

    pub(super) fn put_file(&self, key: &str, file: NamedTempFile) -> Result<(), StorageError> {
        runtime()?.block_on(self.put_one(key, file))
    }

    pub(super) fn put_files(
        &self,
        files: Vec<(String, NamedTempFile)>,
    ) -> Result<(), StorageError> {
        runtime()?.block_on(
            futures::stream::iter(files)
                .map(|(key, file)| async move { self.put_one(&key, file).await })
                .buffer_unordered(PARALLEL)
                .try_collect::<()>(),
        )
    }

    async fn get_one(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        match self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.key(key))
            .send()
            .await
        {
            Ok(output) => {
                let body = output
                    .body
                    .collect()
                    .await
                    .map_err(|error| StorageError::new(self, key, error))?;
                Ok(Some(body.to_vec()))
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|service| service.is_no_such_key()) =>
            {
                Ok(None)
            }
            Err(error) if is_denied(&error) && self.lacks(key).await? => Ok(None),
            Err(error) => Err(self.error(key, &error)),
        }
    }

    /// Whether a list says that there is no object of that name.
    ///
    /// Of an object that is not there, S3 says "denied" to those who may not list the whole bucket; the policy of a lake
    /// lets its prefix be listed, and no more. What can't be listed either is an error of the first call.
    async fn lacks(&self, key: &str) -> Result<bool, StorageError> {
        let name = self.key(key);
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(&name)
            .max_keys(1);
        // Of all keys that begin with this one, it is the first.
        match request.send().await {
            Ok(page) => Ok(page.contents().first().and_then(|object| object.key()) != Some(&name)),
            Err(error) if is_denied(&error) => Ok(false),
            Err(error) => Err(self.error(key, &error)),
        }
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StorageError> {
        runtime()?.block_on(self.get_one(key))
    }

    /// The objects in the order of `keys`; `None` for what is not there.
    pub(super) fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        runtime()?.block_on(futures::future::try_join_all(
            keys.iter().map(|key| self.get_one(key)),
        ))
    }

    pub(super) fn exists(&self, key: &str) -> Result<bool, StorageError> {
        runtime()?.block_on(async {
            match self
                .client
                .head_object()
                .bucket(&self.bucket)
                .key(self.key(key))
                .send()
                .await
            {
                Ok(_) => Ok(true),
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(|service| service.is_not_found()) =>
                {
                    Ok(false)
                }
                Err(error) if is_denied(&error) && self.lacks(key).await? => Ok(false),
                Err(error) => Err(self.error(key, &error)),
            }
        })
    }

    pub(super) fn remove(&self, key: &str) -> Result<(), StorageError> {
        runtime()?.block_on(async {
            let request = self
                .client
                .delete_object()
                .bucket(&self.bucket)
                .key(self.key(key));
            request
                .send()
                .await
                .map(drop)
                .map_err(|error| self.error(key, &error))
        })
    }

    fn folder_prefix(&self, folder: &str) -> String {
        let folder = folder.trim_matches('/');
        if folder.is_empty() {
            self.prefix.clone()
        } else {
            format!("{}{folder}/", self.prefix)
        }
    }

    fn listed(&self, object: &aws_sdk_s3::types::Object) -> Listed {
        let key = object
            .key()
            .and_then(|key| key.strip_prefix(&self.prefix))
            .unwrap_or_default();
        let bytes = object.size().and_then(|size| u64::try_from(size).ok());
        Listed {
            key: key.to_owned(),
            bytes: bytes.unwrap_or_default(),
            etag: object.e_tag().map(|etag| etag.trim_matches('"').to_owned()),
        }
    }

    pub(super) fn list_range(
        &self,
        folder: &str,
        after: &str,
        within: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Listed>, StorageError> {
        runtime()?.block_on(async {
            let mut listed = Vec::new();
            let mut pages = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(self.folder_prefix(folder))
                .set_start_after((!after.is_empty()).then(|| self.key(after)))
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| self.error(folder, &error))?;
                listed.extend(page.contents().iter().map(|object| self.listed(object)));
                // Keys come in order: when the last of a page is beyond the range, so is all that follows.
                if listed.last().is_some_and(|object| !within(&object.key)) {
                    break;
                }
            }
            Ok(listed)
        })
    }

    pub(super) fn level(&self, folder: &str) -> Result<Level, StorageError> {
        runtime()?.block_on(async {
            let prefix = self.folder_prefix(folder);
            let mut level = Level::default();
            let mut pages = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(&prefix)
                .delimiter("/")
                .into_paginator()
                .send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| self.error(folder, &error))?;
                let folders = page
                    .common_prefixes()
                    .iter()
                    .filter_map(|common| common.prefix()?.strip_prefix(&prefix));
                level
                    .folders
                    .extend(folders.map(|name| name.trim_end_matches('/').to_owned()));
                let objects = page.contents().iter().map(|object| self.listed(object));
                // A console's "folder" is an empty object of the folder's name.
                level
                    .objects
                    .extend(objects.filter(|object| !object.key.ends_with('/')));
            }
            Ok(level)
        })
    }

    pub(super) fn fetch_listed(&self, objects: &[Listed]) -> Vec<Result<Fetched, StorageError>> {
        let fetch = async {
            futures::stream::iter(objects)
                .map(|object| self.get_version(object))
                .buffered(PARALLEL)
                .collect()
                .await
        };
        match runtime() {
            Ok(runtime) => runtime.block_on(fetch),
            Err(error) => objects
                .iter()
                .map(|object| Err(StorageError::new(self, &object.key, &error)))
                .collect(),
        }
    }

    /// The object of the listed ETag, so that what is stored of it and what is noted of it belong together.
    async fn get_version(&self, object: &Listed) -> Result<Fetched, StorageError> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.key(&object.key))
            .set_if_match(object.etag.as_ref().map(|etag| format!("\"{etag}\"")));
        let output = request.send().await.map_err(|error| {
            let changed = error
                .raw_response()
                .is_some_and(|response| response.status().as_u16() == 412);
            let service = error.as_service_error();
            if changed {
                StorageError::gone(self, &object.key, "was changed since it was listed")
            } else if service.is_some_and(|service| service.is_no_such_key()) {
                StorageError::gone(self, &object.key, "is gone since it was listed")
            } else {
                self.error(&object.key, &error)
            }
        })?;
        let metadata = output.metadata.unwrap_or_default().into_iter().collect();
        let body = output.body.collect().await;
        let body = body.map_err(|error| StorageError::new(self, &object.key, error))?;
        Ok(Fetched {
            bytes: body.to_vec(),
            metadata,
        })
    }
}
