//! A real `cluster up` for a test: on free ports, with a state directory of its own, ended when the test ends.
#![allow(dead_code, reason = "each test crate uses a part")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use tempfile::TempDir;

pub const BINARY: &str = env!("CARGO_BIN_EXE_cluster");

/// Long enough for any machine; nothing waits this long unless something is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a condition, not for time.
pub fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What the environment of whoever runs the tests must not change.
pub fn clean(process: &mut Process, home: &Path) {
    for name in [
        "CLUSTER_NAME",
        "NODE_ID",
        "PORT",
        "PEERS",
        "NO_COLOR",
        "CLICOLOR_FORCE",
    ] {
        process.env_remove(name);
    }
    process.env("XDG_RUNTIME_DIR", home).env("TMPDIR", home);
}

/// A command of the product's, with state files in `home`.
pub fn cluster_in(home: &Path, arguments: &[&str]) -> Command {
    let mut process = Process::new(BINARY);
    clean(&mut process, home);
    process.args(arguments);
    let mut command = Command::from_std(process);
    command.timeout(PATIENCE);
    command
}

/// The exit code of a command of which nobody reads what it prints.
pub fn unread(home: &Path, arguments: &[&str]) -> Option<i32> {
    let mut process = Process::new(BINARY);
    clean(&mut process, home);
    let child = process
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.expect("the binary");
    drop(child.stdout.take());
    child.wait().expect("our child").code()
}

/// A running `cluster up`.
pub struct Up {
    pub home: TempDir,
    pub child: Child,
}

impl Up {
    /// Boots it and waits for a leader that all obey.
    pub fn start(arguments: &[&str]) -> Up {
        let up = Up::spawn(TempDir::new().expect("a directory"), arguments);
        up.await_state();
        up.run(&["wait", "leader"]).assert().success();
        up
    }

    /// Starts it and does not wait.
    pub fn spawn(home: TempDir, arguments: &[&str]) -> Up {
        let mut process = Process::new(BINARY);
        clean(&mut process, home.path());
        process
            .args(["up", "--port", "0", "--control-port", "0"])
            .args(arguments);
        let log = std::fs::File::create(home.path().join("up.out")).expect("a file");
        let errors = std::fs::File::create(home.path().join("up.err")).expect("a file");
        let child = process
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn();
        Up {
            home,
            child: child.expect("the binary"),
        }
    }

    pub fn await_state(&self) {
        await_that("a state file", || {
            self.state_files()
                .iter()
                .any(|name| name.ends_with(".json"))
        });
    }

    pub fn state_files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.home.path().join("cluster"));
        let names = files.into_iter().flatten().flatten();
        names
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .collect()
    }

    pub fn run(&self, arguments: &[&str]) -> Command {
        cluster_in(self.home.path(), arguments)
    }

    /// What a command prints.
    pub fn says(&self, arguments: &[&str]) -> String {
        let output = self
            .run(arguments)
            .assert()
            .success()
            .get_output()
            .stdout
            .clone();
        String::from_utf8(output)
            .expect("text")
            .trim_end()
            .to_owned()
    }

    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.says(arguments)).expect("JSON")
    }

    pub fn state(&self) -> serde_json::Value {
        let name = self
            .state_files()
            .into_iter()
            .find(|name| name.ends_with(".json"));
        let path = self
            .home
            .path()
            .join("cluster")
            .join(name.expect("a state file"));
        serde_json::from_slice(&std::fs::read(path).expect("a state file")).expect("JSON")
    }

    /// The base URL of the n-th node.
    pub fn url(&self, n: usize) -> String {
        self.state()["nodes"][n - 1]["url"]
            .as_str()
            .expect("a URL")
            .to_owned()
    }

    pub fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Its exit code, once it has ended.
    pub fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("our child") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it never ended");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.home.path().join("up.out")).expect("its output")
    }
}

/// Ports that are free: reserved by binding them, and given back just before whoever needs them binds them.
pub fn free_urls(count: usize) -> Vec<String> {
    let listeners = (0..count).map(|_| std::net::TcpListener::bind("127.0.0.1:0"));
    let listeners: Vec<_> = listeners
        .map(|listener| listener.expect("a port"))
        .collect();
    let url = |listener: &std::net::TcpListener| {
        format!("http://{}", listener.local_addr().expect("an address"))
    };
    listeners.iter().map(url).collect()
}

/// A running `cluster node`.
pub struct NodeProcess {
    pub child: Child,
    output: std::path::PathBuf,
}

impl NodeProcess {
    pub fn printed(&self) -> String {
        std::fs::read_to_string(&self.output).expect("its output")
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the n-th of the nodes at `urls` as a process of its own.
pub fn node(home: &Path, urls: &[String], n: usize, arguments: &[&str]) -> NodeProcess {
    node_below(home, urls, n, arguments, "true")
}

/// The same, from a shell that first runs `preparation`.
pub fn node_below(
    home: &Path,
    urls: &[String],
    n: usize,
    arguments: &[&str],
    preparation: &str,
) -> NodeProcess {
    let own = &urls[n - 1];
    let others: Vec<&str> = urls
        .iter()
        .filter(|other| *other != own)
        .map(String::as_str)
        .collect();
    let output = home.join(format!("node-{n}.out"));
    let file = std::fs::File::create(&output).expect("a file");
    let mut process = Process::new("bash");
    clean(&mut process, home);
    let script = format!("{preparation} && exec {BINARY} node \"$@\"");
    let child = process
        .args(["-c", &script, "bash"])
        .args(arguments)
        .env("NODE_ID", format!("node-{n}"))
        .env("PORT", own.rsplit(':').next().expect("a port"))
        .env("PEERS", others.join(","))
        .stderr(file.try_clone().expect("a file"))
        .stdout(file)
        .spawn();
    NodeProcess {
        child: child.expect("the binary"),
        output,
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn signal(pid: u32, name: &str) {
    let done = Process::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(done.expect("kill").success());
}

/// `curl -s` with these arguments: what it prints.
pub fn curl(arguments: &[&str]) -> String {
    let output = Process::new("curl")
        .args(["-s", "--max-time", "30"])
        .args(arguments)
        .output();
    String::from_utf8(output.expect("curl").stdout).expect("text")
}

/// Sends a raw request and reads until the server closes.
pub fn raw(url: &str, request: &[u8]) -> String {
    let mut stream = connect(url);
    stream.write_all(request).expect("to send");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

pub fn connect(url: &str) -> TcpStream {
    let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// A request without keep-alive; what came back, as (status, head, body).
pub fn ask(url: &str, method: &str, path: &str, body: &[u8]) -> (u16, String, String) {
    ask_with(url, method, path, "", body)
}

/// The same with more headers, each ended by CRLF.
pub fn ask_with(
    url: &str,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String, String) {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    let answer = raw(url, &[head.as_bytes(), body].concat());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    (status, head.to_ascii_lowercase(), body.to_owned())
}
