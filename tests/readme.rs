//! The README is true: its commands are run as written, and what it shows is what they print.

mod support;

use std::process::{Command, Stdio};

use support::{BINARY, await_that, clean};
use tempfile::TempDir;

/// A command of a `console` block, and the output shown below it.
struct Shown {
    command: String,
    output: Vec<String>,
    background: bool,
}

fn readme() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    std::fs::read_to_string(path).expect("the README")
}

fn shown(readme: &str) -> Vec<Shown> {
    let mut commands: Vec<Shown> = Vec::new();
    let (mut inside, mut background) = (false, false);
    for line in readme.lines() {
        match line {
            "<!-- background -->" => background = true,
            "```console" => inside = true,
            "```" => (inside, background) = (false, false),
            _ if !inside => {}
            _ => match line.strip_prefix("$ ") {
                Some(command) => {
                    let command = command.to_owned();
                    commands.push(Shown {
                        command,
                        output: Vec::new(),
                        background,
                    });
                }
                None => commands
                    .last_mut()
                    .expect("a command first")
                    .output
                    .push(line.to_owned()),
            },
        }
    }
    commands
}

/// Ten ports in a row that are free, below those the system gives out.
fn ports() -> u16 {
    let is_free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let first = 20_000 + (std::process::id() % 1000) as u16 * 10;
    let mut candidates = (first..32_000).step_by(10);
    candidates
        .find(|first| (0..10).all(|k| is_free(first + k)))
        .expect("free ports")
}

/// Whether `printed` is what is shown: `…` stands for anything.
fn matches(shown: &str, printed: &str) -> bool {
    let parts: Vec<&str> = shown.split('…').collect();
    let [first, middle @ .., last] = parts.as_slice() else {
        return shown == printed;
    };
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// The cluster of the README's first block; it goes with the test, whatever becomes of that.
struct Background(std::process::Child);

impl Drop for Background {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_readmes_commands_print_what_it_shows() {
    let home = TempDir::new().expect("a directory");
    let bin = home.path().join("bin");
    std::fs::create_dir(&bin).expect("a directory");
    std::os::unix::fs::symlink(BINARY, bin.join("cluster")).expect("a link");
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
    std::os::unix::fs::symlink(scripts, home.path().join("scripts")).expect("a link");
    let base = ports();
    let adapt = |text: &str| {
        let text = (0..10).fold(text.to_owned(), |text, k| {
            text.replace(&format!("{}", 4000 + k), &format!("{}", base + k))
        });
        let up = format!("cluster up --port {} --control-port {base} ", base + 1);
        text.replace("cluster up ", &up)
    };
    let bash = |command: &str| {
        let mut process = Command::new("bash");
        clean(&mut process, home.path());
        let path = format!(
            "{}:{}",
            bin.display(),
            std::env::var("PATH").unwrap_or_default()
        );
        process.current_dir(home.path()).env("PATH", path).args([
            "-euo",
            "pipefail",
            "-c",
            &adapt(command),
        ]);
        process
    };
    let commands = shown(&readme());
    assert!(
        commands.len() > 20,
        "the README shows {} commands",
        commands.len()
    );
    let mut up = None;
    for Shown {
        command,
        output,
        background,
    } in &commands
    {
        if *background {
            let mut process = bash(&format!("exec {command}"));
            process.stdout(Stdio::null()).stderr(Stdio::null());
            up = Some(Background(process.spawn().expect("bash")));
            let state = home.path().join("cluster/default.json");
            await_that("it is up", || state.exists());
            continue;
        }
        let done = bash(command).output().expect("bash");
        let printed = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(
            done.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        let expected = adapt(&output.join("\n"));
        assert!(
            matches(&expected, printed.trim_end()),
            "$ {command}\nshown:\n{expected}\nprinted:\n{printed}"
        );
    }
    // Whatever is still up in the background ends with the test.
    let _ = bash("cluster down").output();
    drop(up);
}

/// The rows of the table of guarantees: flags, the command that shows the hole, and what it shows.
fn holes(readme: &str) -> Vec<(String, String, String)> {
    let cells = |line: &str| {
        let parts: Vec<String> = line.split('`').map(str::to_owned).collect();
        match &parts[..] {
            [start, flags, .., command, arrow, shown, _]
                if start == "| " && flags.starts_with("--election") && arrow == " → " =>
            {
                Some((flags.clone(), command.clone(), shown.clone()))
            }
            _ => None,
        }
    };
    readme.lines().filter_map(cells).collect()
}

#[test]
fn every_pair_has_the_hole_that_the_readme_says_it_has() {
    let holes = holes(&readme());
    assert_eq!(holes.len(), 9);
    std::thread::scope(|scope| {
        for (flags, command, shown) in &holes {
            scope.spawn(move || {
                let flags: Vec<&str> = flags.split(' ').collect();
                let up = support::Up::start(&flags);
                let bin = up.home.path().join("bin");
                std::fs::create_dir(&bin).expect("a directory");
                std::os::unix::fs::symlink(BINARY, bin.join("cluster")).expect("a link");
                let mut process = Command::new("bash");
                clean(&mut process, up.home.path());
                let path = std::env::var("PATH").unwrap_or_default();
                let path = format!("{}:{path}", bin.display());
                let output = process.env("PATH", path).args(["-c", command]).output();
                let output = output.expect("bash");
                let said = [output.stdout, output.stderr].concat();
                let said = String::from_utf8_lossy(&said).into_owned();
                assert!(said.contains(shown), "{flags:?}: {command}\n{said}");
            });
        }
    });
}

#[test]
fn the_readme_names_every_command_and_no_other() {
    let help = Command::new(BINARY)
        .arg("--help")
        .output()
        .expect("the binary")
        .stdout;
    let help = String::from_utf8(help).expect("text");
    let section = help
        .split("Commands:")
        .nth(1)
        .and_then(|rest| rest.split("Options:").next());
    let lines = section
        .expect("commands")
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let mut commands: Vec<&str> = lines
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    commands.retain(|command| *command != "help");
    let readme = readme();
    let table = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `cluster ")?.split('`').next());
    let mut named: Vec<&str> = table.collect();
    commands.sort_unstable();
    named.sort_unstable();
    assert_eq!(named, commands);
}
