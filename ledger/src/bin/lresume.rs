//! `lresume`: brief the next turn of a loop.

use std::process::ExitCode;

use ledger::args::Lresume;
use ledger::brief::past::{Ledger, look_up};
use ledger::brief::{self, Asked, Brief};
use ledger::edge::{self, Answer, Failure, LedgerFile};
use ledger::history::{self, Histories, Selection};
use ledger::place::{Place, Source};
use ledger::record::SCHEMA;
use ledger::text::counted;

/// How many attempts of each gate are looked at, at least.
const WINDOW: usize = 200;

fn main() -> ExitCode {
    edge::run("lresume", lresume)
}

fn lresume() -> Result<Answer, Failure> {
    let args: Lresume = edge::parse()?;
    let place = args.ledger.place()?;
    let asked = asked(&args, &place);

    let ledger = edge::open_ledger(&place)?;
    let mut output = edge::stdout();

    let mut brief = Brief {
        v: SCHEMA,
        kind: "brief",
        ..Brief::default()
    };
    if let Some(ledger) = &ledger {
        let unreadable = |error| Failure::unreadable(&ledger.name, &error);
        let found = read(ledger, &asked, &place)?;
        brief = brief::read(&ledger.whole(), &found, &asked).map_err(unreadable)?;
        look_up_failures(&mut brief, &found, &asked, ledger, &place)?;
    }
    let text = brief.fitted(args.format.into(), args.budget as usize);

    output.write(text.as_bytes())?;
    Ok(Answer::Done)
}

fn asked(args: &Lresume, place: &Place) -> Asked {
    Asked {
        run: place.run.clone(),
        is_run_ledger: place.run.is_some() && matches!(place.source, Source::Home(..)),
        name: args.name.clone(),
        k: args.k,
        window: WINDOW.max(usize::try_from(args.k).unwrap_or(usize::MAX)),
    }
}

fn read(ledger: &LedgerFile, asked: &Asked, place: &Place) -> Result<Histories, Failure> {
    let wanted = Selection {
        // A ledger of one run is read as that, whether or not its records say so.
        run: place.run.clone().filter(|_| !asked.is_run_ledger),
        name: asked.name.clone(),
        all_runs: false,
        window: asked.window,
    };
    let unreadable = |error| Failure::unreadable(&ledger.name, &error);
    let found = history::histories(ledger.backwards()?, &wanted).map_err(unreadable)?;
    if found.damaged > 0 {
        edge::warn(format!(
            "'{}': skipped {}",
            ledger.name,
            counted(found.damaged, "damaged line")
        ));
    }
    Ok(found)
}

/// Looks every live failure up, in this ledger and in those beside it.
fn look_up_failures(
    brief: &mut Brief,
    found: &Histories,
    asked: &Asked,
    ledger: &LedgerFile,
    place: &Place,
) -> Result<(), Failure> {
    let Some(histories) = found.runs.first() else {
        return Ok(());
    };
    let live = brief.live(histories, asked.window);
    if live.is_empty() {
        return Ok(());
    }
    let others = edge::open_others(place);
    let run = place.run.clone().unwrap_or_default();
    let all = std::iter::once((&run, ledger, true))
        .chain(others.iter().map(|(run, file)| (run, file, false)));
    let mut sightings: Vec<Vec<_>> = live.iter().map(|_| Vec::new()).collect();
    for (run, file, is_own) in all {
        let ledger = Ledger {
            file: &file.file,
            len: file.len,
            whole: file.whole(),
            is_own,
            run,
        };
        for (live, sightings) in live.iter().zip(&mut sightings) {
            let seen =
                look_up(&ledger, live).map_err(|error| Failure::unreadable(&file.name, &error))?;
            sightings.extend(seen);
        }
    }
    for (live, sightings) in live.iter().zip(sightings) {
        brief.remember(live, sightings);
    }
    Ok(())
}
