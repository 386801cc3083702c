//! `bellwether access`: lines for the files of users and tokens.

use std::io::{IsTerminal, Read, Write, stderr, stdin};

use access::PASSWORD_BYTES_MAX;
use anyhow::{Context, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::cli::{AccessCommand, Credential};

/// Prints the line for the file on standard output; what else there is to say goes to standard
/// error, so that the output can be appended to the file.
///
/// # Errors
/// A name or password that can't be used.
pub fn issue(command: &AccessCommand) -> anyhow::Result<()> {
    match command {
        AccessCommand::Password(Credential { name, role }) => {
            // Before anything is typed.
            if !access::is_name(name) {
                bail!(access::IssueError::Name(name.clone()));
            }
            let password = ask_password()?;
            println!("{}", access::new_password_line(name, *role, &password)?);
            eprintln!("append this line to server.auth.users_file");
        }
        AccessCommand::Token(Credential { name, role }) => {
            let (token, line) = access::new_token(name, *role)?;
            println!("{line}");
            eprintln!(
                "append this line to server.auth.tokens_file; the token is shown only now:\n{token}"
            );
        }
    }
    Ok(())
}

/// Typed twice and unseen on a terminal; else the first line of standard input.
fn ask_password() -> anyhow::Result<String> {
    if !stdin().is_terminal() {
        return line_of_input();
    }
    let password = unseen("password: ")?;
    if unseen("once more: ")? != password {
        bail!("these are two different passwords");
    }
    Ok(password)
}

fn line_of_input() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    stdin()
        .take(PASSWORD_BYTES_MAX as u64 + 3)
        .read_to_end(&mut bytes)
        .context("read the password")?;
    let text = String::from_utf8(bytes).context("the password is not text in UTF-8")?;
    let line = text.split('\n').next().unwrap_or_default();
    Ok(line.trim_end_matches('\r').to_owned())
}

fn unseen(prompt: &str) -> anyhow::Result<String> {
    let _ = write!(stderr(), "{prompt}");
    let hidden = Hidden::start().context("turn off the echo of the terminal")?;
    let mut line = String::new();
    stdin().read_line(&mut line).context("read the password")?;
    drop(hidden);
    eprintln!();
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// A terminal that shows nothing of what is typed, until it is dropped.
struct Hidden(Termios);

impl Hidden {
    fn start() -> rustix::io::Result<Hidden> {
        let before = tcgetattr(stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Flush, &silent)?;
        Ok(Hidden(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
    }
}
