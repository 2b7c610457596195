//! How commands fail: what happened, to which node or key, what to type next, and the exit code.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::views::lines::clean;
use crate::wire::control::{ErrorBody, ErrorDetail};

/// A command's failure.
#[derive(Debug)]
pub(super) struct Failure {
    code: &'static str,
    message: String,
    hint: Option<String>,
    exit: u8,
}

impl Failure {
    /// It failed: exit code 1.
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Failure {
        Failure {
            code,
            message: message.into(),
            hint: None,
            exit: 1,
        }
    }

    /// It was asked wrongly: exit code 2.
    pub(super) fn usage(message: impl Into<String>) -> Failure {
        Failure {
            exit: 2,
            ..Failure::new("usage", message)
        }
    }

    /// There is no such running cluster: exit code 3.
    pub(super) fn no_cluster(message: impl Into<String>) -> Failure {
        Failure {
            exit: 3,
            ..Failure::new("no-cluster", message)
        }
    }

    /// The system refused.
    pub(super) fn system(what: &str, error: &dyn Display) -> Failure {
        Failure::new("system", format!("{what}: {error}"))
    }

    /// All was said on stdout already: no more than the exit code is left to tell.
    pub(super) fn silent(exit: u8) -> Failure {
        Failure {
            exit,
            ..Failure::new("silent", "")
        }
    }

    /// Nobody reads the output any more, which is a reader's right: success.
    fn broken_pipe() -> Failure {
        Failure {
            exit: 0,
            ..Failure::new("broken-pipe", "")
        }
    }

    /// What to type next.
    pub(super) fn hint(self, hint: impl Into<String>) -> Failure {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub(super) fn with_exit(self, exit: u8) -> Failure {
        Failure { exit, ..self }
    }

    /// Tells the user on stderr.
    pub(super) fn show(self, json: bool) -> ExitCode {
        if !self.message.is_empty() {
            tell(json, self.code, &self.message, self.hint.as_deref());
        }
        ExitCode::from(self.exit)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::broken_pipe(),
            _ => Failure::system("cannot write the output", &error),
        }
    }
}

fn tell(json: bool, code: &str, message: &str, hint: Option<&str>) {
    use std::io::Write;
    let mut stderr = anstream::stderr().lock();
    // There is nowhere left to complain to if this fails.
    let _ = match json {
        true => {
            let (code, message) = (code.to_owned(), message.to_owned());
            let error = ErrorDetail {
                code,
                message,
                hint: hint.map(str::to_owned),
            };
            let body = serde_json::to_string(&ErrorBody { error }).unwrap_or_default();
            writeln!(stderr, "{body}")
        }
        false => {
            let hint = hint.map(|hint| format!("\n  {hint}")).unwrap_or_default();
            // It may repeat what a server or a file said.
            let said = format!("{message}{hint}");
            let lines: Vec<String> = said.lines().map(clean).collect();
            writeln!(stderr, "cluster: {}", lines.join("\n"))
        }
    };
}

/// What clap says: help and versions are results, everything else is a usage error.
pub(super) fn usage(error: &clap::Error) -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print();
            ExitCode::SUCCESS
        }
        _ if wants_json => {
            let text = error.render().to_string();
            let message = text.lines().next().unwrap_or_default();
            let message = message.strip_prefix("error: ").unwrap_or(message);
            Failure::usage(message).hint("cluster --help").show(true)
        }
        _ => {
            let _ = error.print();
            ExitCode::from(2)
        }
    }
}
