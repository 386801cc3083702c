//! `bellwether completions` and `bellwether man`: what shells and manual readers know of this
//! program, made from the command line itself.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::cli::{self, Cli};

const NAME: &str = "bellwether";

/// Prints what a shell needs to complete this program's arguments.
pub fn completions(asked: &cli::Completions) -> ExitCode {
    clap_complete::generate(asked.shell, &mut Cli::command(), NAME, &mut io::stdout());
    ExitCode::SUCCESS
}

/// Writes the manual: a page for each subcommand.
///
/// # Errors
/// The directory can't be written.
pub fn man(asked: &cli::Man) -> anyhow::Result<ExitCode> {
    match &asked.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)?;
            clap_mangen::generate_to(Cli::command(), dir)?;
        }
        None => {
            let mut command = Cli::command().disable_help_subcommand(true);
            command.build();
            pages(&command, &mut io::stdout().lock())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn pages(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    Man::new(command.clone()).render(out)?;
    for subcommand in command.get_subcommands() {
        pages(subcommand, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every subcommand by its whole name, such as `bellwether incidents list`.
    fn names(command: &Command, before: &str, into: &mut Vec<String>) {
        for subcommand in command.get_subcommands() {
            let name = format!("{before} {}", subcommand.get_name());
            into.push(name.clone());
            names(subcommand, &name, into);
        }
    }

    fn all() -> Vec<String> {
        let mut found = Vec::new();
        names(&Cli::command(), NAME, &mut found);
        found
    }

    #[test]
    fn every_subcommand_and_exit_code_is_in_the_docs() {
        let docs = include_str!("../../../docs/command-line.md");
        for name in all() {
            assert!(docs.contains(&format!("`{name}")), "{name} is missing");
        }
        for line in cli::EXIT_CODES.lines().skip(1) {
            let (code, meaning) = line.trim().split_once("  ").unwrap();
            let row = format!("| {code} | {meaning} |");
            assert!(docs.contains(&row), "{row} is missing");
        }
    }

    #[test]
    fn the_manual_has_a_page_for_each_subcommand() {
        let dir = tempfile::tempdir().unwrap();
        let asked = cli::Man {
            dir: Some(dir.path().join("deep/man1")),
        };
        man(&asked).unwrap();
        for name in all() {
            let page = format!("{}.1", name.replace(' ', "-"));
            let text = std::fs::read_to_string(dir.path().join("deep/man1").join(&page));
            assert!(text.unwrap().contains(".SH SYNOPSIS"), "{page}");
        }
        let mut whole = Vec::new();
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        pages(&command, &mut whole).unwrap();
        let whole = String::from_utf8(whole).unwrap();
        assert_eq!(whole.matches(".SH SYNOPSIS").count(), all().len() + 1);
    }

    #[test]
    fn shells_complete_subcommands() {
        for shell in [
            clap_complete::Shell::Bash,
            clap_complete::Shell::Zsh,
            clap_complete::Shell::Fish,
        ] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
            let script = String::from_utf8(script).unwrap();
            assert!(
                script.contains("incidents") && script.contains("backup"),
                "{shell}"
            );
        }
    }
}
