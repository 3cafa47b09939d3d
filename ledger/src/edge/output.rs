//! Standard output: the answer and nothing else.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Failure, variable};

/// How records are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One record per line.
    Jsonl,
    /// The same content for people.
    Text,
}

/// The flag that chooses between records and text.
#[derive(Clone, Debug, clap::Args)]
pub struct FormatArgs {
    /// Force records or text [default: text on a terminal, else jsonl]
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: Option<Format>,
}

impl FormatArgs {
    /// The format: as asked, else text on a terminal.
    #[must_use]
    pub fn chosen(&self) -> Format {
        let default = || {
            if io::stdout().is_terminal() {
                Format::Text
            } else {
                Format::Jsonl
            }
        };
        self.format.unwrap_or_else(default)
    }
}

/// Colours, where somebody sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    on: bool,
}

impl Style {
    /// Colours for stdout: on a terminal, unless `NO_COLOR` is set; always with `CLICOLOR_FORCE`.
    #[must_use]
    pub fn of_stdout() -> Style {
        let forced = variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        Style {
            on: forced || (variable("NO_COLOR").is_none() && io::stdout().is_terminal()),
        }
    }

    /// No colours.
    #[must_use]
    pub fn plain() -> Style {
        Style { on: false }
    }

    /// For what is wrong.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// For what is right.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.paint("1;32", text)
    }

    /// For what is worth a look.
    #[must_use]
    pub fn warm(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// For what stands back.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// For headings.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// How long a follower waits before it looks again.
pub const FOLLOW_PAUSE: Duration = Duration::from_millis(150);

/// Waits so long, or until whoever reads stdout goes away.
///
/// # Errors
///
/// [`Failure::ClosedPipe`] if nobody reads stdout any more.
pub fn wait_for_change(pause: Duration) -> Result<(), Failure> {
    let stdout = io::stdout();
    // Asked for nothing, it tells only that the other end was closed.
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let pause = Timespec {
        tv_sec: pause.as_secs().cast_signed(),
        tv_nsec: pause.subsec_nanos().into(),
    };
    let told = poll(&mut asked, Some(&pause));
    let closed = PollFlags::ERR | PollFlags::HUP;
    if matches!(told, Ok(1..)) && asked.iter().any(|fd| fd.revents().intersects(closed)) {
        return Err(Failure::ClosedPipe);
    }
    Ok(())
}

/// Standard output of one tool.
#[derive(Debug)]
pub struct Output {
    is_echo: bool,
    is_closed: bool,
}

/// Standard output of a filter: it ends when its reader goes away.
#[must_use]
pub fn stdout() -> Output {
    Output {
        is_echo: false,
        is_closed: false,
    }
}

/// Standard output of a tool that acts: its echo is a courtesy, and the job is finished without a reader.
#[must_use]
pub fn echo() -> Output {
    Output {
        is_echo: true,
        is_closed: false,
    }
}

impl Output {
    /// Writes one line and hands it on at once.
    ///
    /// # Errors
    ///
    /// If it cannot be written; of a tool that acts, only if the reason is another than a reader that went away.
    pub fn emit(&mut self, line: &str) -> Result<(), Failure> {
        self.write(format!("{line}\n").as_bytes())
    }

    /// Writes text as it is.
    ///
    /// # Errors
    ///
    /// As [`Output::emit`].
    pub fn write(&mut self, text: &[u8]) -> Result<(), Failure> {
        if self.is_closed {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match out.write_all(text).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.is_echo => {
                self.is_closed = true;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure::ClosedPipe),
            Err(error) => Err(Failure::failed(format!(
                "cannot write to stdout: {}",
                crate::log::reason(&error)
            ))),
        }
    }
}
