//! The conformance tests of `tests/conformance`, without a server process or Node: each file is a worker that runs here, in
//! this process, and its tests are requests to it. `tests/conformance/README.md` says how they are written, and
//! `differences.json` there which of them fail on purpose. `node tests/conformance/run.mjs` runs the same on workerd.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex},
    thread,
};

use serde::Deserialize;

#[path = "conformance/server.rs"]
mod server;

use server::{Server, Wire};

/// Files and slow tests that run at the same time; most of them wait most of the time.
const THREADS: usize = 6;

#[test]
fn conformance() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let differences: Vec<Difference> =
        serde_json::from_slice(&std::fs::read(tests.join("differences.json")).unwrap()).unwrap();
    assemble(&tests);
    let queue = Queue::new(files(&tests, ".test.js").into_iter().map(Job::File));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| queue.work(|job| job.run(&tests, &queue)));
        }
    });
    let results = queue.results.into_inner().unwrap();
    let unexpected = unexpected(&results, &differences);
    let failed = results.iter().filter(|r| r.error.is_some()).count();
    println!("{} results, {failed} failed", results.len());
    assert!(
        unexpected.is_empty(),
        "{} results of {} were not expected:\n{}",
        unexpected.len(),
        results.len(),
        unexpected.join("\n")
    );
}

/// A test that fails, on one of the servers, for the reason that stands beside it.
#[derive(Deserialize)]
struct Difference {
    file: String,
    test: String,
    on: String,
}

/// How one test went.
struct Outcome {
    file: String,
    test: String,
    error: Option<String>,
}

/// What was not as expected, to be shown.
fn unexpected(results: &[Outcome], differences: &[Difference]) -> Vec<String> {
    let mut found = Vec::new();
    for Outcome { file, test, error } in results {
        let known = differences
            .iter()
            .any(|d| d.on == "dolmen" && d.file == *file && d.test == *test);
        match error {
            Some(error) if !known => found.push(format!(
                "{file} > {test}\n    {}",
                error.replace('\n', "\n    ")
            )),
            None if known => found.push(format!(
                "{file} > {test} passes, though it stands in differences.json"
            )),
            _ => {}
        }
    }
    for d in differences.iter().filter(|d| d.on == "dolmen") {
        if !results.iter().any(|r| r.file == d.file && r.test == d.test) {
            found.push(format!(
                "{} > {} stands in differences.json, but there is no such test",
                d.file, d.test
            ));
        }
    }
    found
}

/// Makes the WebAssembly modules that tests import from their texts, which stand beside.
fn assemble(folder: &Path) {
    for text in files(folder, ".wat") {
        let text = folder.join(text);
        let module = wat::parse_file(&text).unwrap();
        std::fs::write(text.with_extension("wasm"), module).unwrap();
    }
}

/// The names of the files that end so, below `folder`.
fn files(folder: &Path, ending: &str) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(below) = folders.pop() {
        for entry in std::fs::read_dir(folder.join(&below)).unwrap() {
            let entry = entry.unwrap();
            let path = below.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                files.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    assert!(!files.is_empty(), "no {ending} in {}", folder.display());
    files.sort();
    files
}

/// What a thread takes at a time; it gets a server of its own.
enum Job {
    /// All tests of a file but the slow ones, which become jobs.
    File(String),
    /// One slow test.
    Slow { file: String, test: String },
}

impl Job {
    fn run(&self, folder: &Path, queue: &Queue) {
        let (Job::File(file) | Job::Slow { file, .. }) = self;
        let report = |test: &str, error: Option<String>| {
            queue.results.lock().unwrap().push(Outcome {
                file: file.clone(),
                test: test.to_owned(),
                error,
            });
        };
        let path = folder.join(file);
        let done = match self {
            Job::Slow { test, .. } => run_tests(&path, vec![test.clone()], &report),
            Job::File(_) => Server::run(&path, async |server| {
                let slow: Vec<String> = server.json("/slow").await?;
                let mut tests: Vec<String> = server.json("/list").await?;
                tests.retain(|test| !slow.contains(test));
                Ok((tests, slow, server.json::<Vec<Wire>>("/wire").await?))
            })
            .and_then(|(tests, slow, wires)| {
                for test in slow {
                    let file = file.clone();
                    queue.push(Job::Slow { file, test });
                }
                run_tests(&path, tests, &report)?;
                Server::run(&path, async |server| {
                    for wire in wires {
                        report(&wire.name, server.exchange(&wire).await.err());
                    }
                    Ok(())
                })
            }),
        };
        if let Err(error) = done {
            report("(the file)", Some(error));
        }
    }
}

/// Runs tests one after the other. What is left of one that hung must not decide the ones after it: they get a new server.
fn run_tests(
    path: &Path,
    tests: Vec<String>,
    report: &dyn Fn(&str, Option<String>),
) -> Result<(), String> {
    let mut tests = VecDeque::from(tests);
    while !tests.is_empty() {
        Server::run(path, async |server| {
            while let Some(test) = tests.pop_front() {
                match server.test(&test).await {
                    Ok(error) => report(&test, error),
                    Err(hung) => {
                        report(&test, Some(hung));
                        break;
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Jobs that wait, and what came of the others.
struct Queue {
    jobs: Mutex<Jobs>,
    changed: Condvar,
    results: Mutex<Vec<Outcome>>,
}

struct Jobs {
    waiting: VecDeque<Job>,
    running: usize,
}

impl Queue {
    fn new(jobs: impl Iterator<Item = Job>) -> Queue {
        Queue {
            jobs: Mutex::new(Jobs {
                waiting: jobs.collect(),
                running: 0,
            }),
            changed: Condvar::new(),
            results: Mutex::default(),
        }
    }

    /// Slow tests go first, so that nobody waits for one alone at the end.
    fn push(&self, job: Job) {
        self.jobs.lock().unwrap().waiting.push_front(job);
        self.changed.notify_one();
    }

    /// Does jobs until none is left, nor can come.
    fn work(&self, run: impl Fn(&Job)) {
        let mut jobs = self.jobs.lock().unwrap();
        loop {
            if let Some(job) = jobs.waiting.pop_front() {
                jobs.running += 1;
                drop(jobs);
                run(&job);
                jobs = self.jobs.lock().unwrap();
                jobs.running -= 1;
                self.changed.notify_all();
            } else if jobs.running > 0 {
                jobs = self.changed.wait(jobs).unwrap();
            } else {
                return;
            }
        }
    }
}
