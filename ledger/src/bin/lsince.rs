//! `lsince`: say what changed since the last recorded attempt.

use std::path::Path;
use std::process::ExitCode;

use ledger::args::Lsince;
use ledger::edge::{self, Answer, Failure, Format, Style};
use ledger::line::Line;
use ledger::place::{Place, Source};
use ledger::since::base::{self, Of};
use ledger::since::{Base, repository, show};

fn main() -> ExitCode {
    edge::run("lsince", lsince)
}

fn lsince() -> Result<Answer, Failure> {
    let args: Lsince = edge::parse()?;
    let directory = edge::directory()?;
    let offered = offered(&args, &directory)?;
    let mut output = edge::stdout();

    let since = repository::since(&directory, offered);

    output.emit(&match args.format.chosen() {
        Format::Jsonl => Line::of(&since).to_string(),
        Format::Text => show::since(&since, Style::of_stdout()),
    })?;
    Ok(Answer::Done)
}

/// The commits to compare with, the wanted one first; none where there is nobody to ask.
fn offered(args: &Lsince, directory: &Path) -> Result<Vec<Base>, Failure> {
    if let Some(revision) = &args.base {
        if !repository::answers(directory) {
            return Ok(Vec::new());
        }
        let commit = repository::resolve(directory, revision)
            .ok_or_else(|| Failure::failed(format!("git knows no commit '{revision}'")))?;
        return Ok(vec![Base {
            commit,
            revision: Some(revision.clone()),
            ..Base::default()
        }]);
    }
    let place = args.ledger.place()?;
    let of = of(args, &place);
    let ledger = edge::open_ledger(&place)?;
    let missing = |seq: u64| Failure::failed(format!("no record {seq} in the ledger"));
    let Some(ledger) = ledger else {
        return args.seq.map_or(Ok(Vec::new()), |seq| Err(missing(seq)));
    };
    let unreadable = |error| Failure::unreadable(&ledger.name, &error);
    match args.seq {
        None => base::of_attempts(&ledger.whole(), &of).map_err(unreadable),
        Some(seq) => base::of_record(&ledger.whole(), seq, &of)
            .map_err(unreadable)?
            .ok_or_else(|| missing(seq)),
    }
}

fn of(args: &Lsince, place: &Place) -> Of {
    Of {
        // A ledger of one run is read as that, whether or not its records say so.
        run: place
            .run
            .clone()
            .filter(|_| !matches!(place.source, Source::Home(..))),
        name: args.name.clone(),
    }
}
