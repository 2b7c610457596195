//! `completions`: what a shell needs to complete commands, flags and the names of running nodes.

use clap::Args;
use clap_complete::env::Shells;

use crate::cli::failure::Failure;
use crate::cli::out;

/// Print a script that makes a shell complete commands, flags and node names
#[derive(Args)]
#[command(after_help = "Examples:
  cluster completions bash >> ~/.bashrc
  cluster completions zsh >> ~/.zshrc
  cluster completions fish > ~/.config/fish/completions/cluster.fish")]
pub(super) struct Completions {
    /// Which shell
    #[arg(value_parser = ["bash", "zsh", "fish"])]
    shell: String,
}

pub(super) fn run(args: &Completions) -> Result<(), Failure> {
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(&args.shell) else {
        return Err(Failure::usage(format!("no completions for {}", args.shell)));
    };
    let mut script = Vec::new();
    shell.write_registration("COMPLETE", "cluster", "cluster", "cluster", &mut script)?;
    out::print(String::from_utf8_lossy(&script).trim_end())
}
