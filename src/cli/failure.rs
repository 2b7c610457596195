//! How commands fail: what happened, to which node or key, what to type next, and the exit code.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::views::lines::clean;
use crate::wire::control::{ErrorBody, ErrorDetail};

/// The code of an output that nobody reads.
const BROKEN_PIPE: &str = "broken-pipe";

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
            ..Failure::new(BROKEN_PIPE, "")
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

    /// The same of a judge, whose exit code 1 is a verdict: where it failed otherwise it ends with `unknown`.
    pub(super) fn of_judge(self, unknown: u8) -> Failure {
        match self.exit == 1 && !self.message.is_empty() {
            true => self.with_exit(unknown),
            false => self,
        }
    }

    /// Nothing, where all that is wrong is that nobody reads the output: a verdict stands all the same.
    pub(super) fn unless_unread(written: Result<(), Failure>) -> Result<(), Failure> {
        match written {
            Err(failure) if failure.code == BROKEN_PIPE => Ok(()),
            written => written,
        }
    }

    /// How a judge ends whose verdict has this exit code: the same whether or not anybody reads the output. What could not be
    /// written for another reason is told, and then nobody can rely on all being well: `unknown`.
    pub(super) fn concluded(
        exit: u8,
        unknown: u8,
        json: bool,
        written: impl IntoIterator<Item = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        let written = written.into_iter().map(Failure::unless_unread);
        let failed = written.filter_map(Result::err);
        let mut all_is_written = true;
        for failure in failed {
            failure.show(json);
            all_is_written = false;
        }
        match (exit, all_is_written) {
            (0, true) => Ok(()),
            (0, false) => Err(Failure::silent(unknown)),
            (exit, _) => Err(Failure::silent(exit)),
        }
    }

    /// What happened.
    pub(super) fn why(self) -> String {
        self.message
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
