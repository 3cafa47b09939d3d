//! `lstall`: say whether a loop is stuck.

use std::process;

use ledger::edge::{self, Answer, Failure, Format, LedgerFile, Style};
use ledger::history::{self, Histories, History, Selection};
use ledger::line::Line;
use ledger::place::{Place, Source};
use ledger::record::{Gate, Standing, Verdict};
use ledger::text::counted;
use ledger::time::Instant;
use stall::args::{ExitCode, Lstall};
use stall::{Asked, Config, detectors, judge, of_gates, show};

fn main() -> process::ExitCode {
    edge::run("lstall", lstall)
}

fn lstall() -> Result<Answer, Failure> {
    let args: Lstall = edge::parse()?;
    let asked = asked(&args)?;
    let now = edge::now()?;
    let place = args.ledger.place()?;

    let ledger = edge::open_ledger(&place)?;
    let mut output = edge::stdout();

    let found = read(ledger.as_ref(), &selection(&args, &place))?;
    let mut verdicts = Vec::new();
    for run in &found.runs {
        let judged: Result<Vec<_>, _> = run
            .iter()
            .map(|gate| judge_one(ledger.as_ref(), gate, &asked, now))
            .collect();
        verdicts.extend(of_gates(judged?));
    }
    if verdicts.is_empty() {
        let run = place.run.clone().unwrap_or_default();
        verdicts.push(judge(
            &History {
                run,
                ..History::default()
            },
            &asked,
            Vec::new(),
            now,
        ));
    }

    for verdict in &mut verdicts {
        verdict.damaged = found.damaged;
        output.emit(&match args.format.chosen() {
            Format::Jsonl => Line::of(verdict).to_string(),
            Format::Text => show::verdict(verdict, Style::of_stdout()),
        })?;
    }
    answer(args.exit_code, &verdicts)
}

fn asked(args: &Lstall) -> Result<Asked, Failure> {
    let is_asked = |name: &str| args.not.iter().all(|not| not.name != name);
    let detectors = if args.only.is_empty() {
        detectors::ALL.to_vec()
    } else {
        args.only.clone()
    };
    let detectors: Vec<_> = detectors
        .into_iter()
        .filter(|detector| is_asked(detector.name))
        .collect();
    if detectors.is_empty() {
        return Err(Failure::usage("--not leaves no detector to ask"));
    }
    let escalates_at_once = matches!(args.only.as_slice(), [only] if only.name == "same-failure");
    Ok(Asked {
        detectors,
        config: Config {
            k: args.k,
            escalates_at_once,
        },
    })
}

fn selection(args: &Lstall, place: &Place) -> Selection {
    let all_runs = place.source == Source::Stdin && place.run.is_none();
    // A ledger of one run is read as that, whether or not its records say so.
    let run = place
        .run
        .clone()
        .filter(|_| !matches!(place.source, Source::Home(..)));
    let window = (args.window as usize).max(
        usize::try_from(args.k)
            .unwrap_or(usize::MAX)
            .saturating_mul(2),
    );
    Selection {
        run,
        name: args.name.clone(),
        all_runs,
        window,
    }
}

fn read(ledger: Option<&LedgerFile>, wanted: &Selection) -> Result<Histories, Failure> {
    let Some(ledger) = ledger else {
        return Ok(Histories::default());
    };
    let unreadable = |error| Failure::unreadable(&ledger.name, &error);
    let found = history::histories(ledger.backwards()?, wanted).map_err(unreadable)?;
    if found.damaged > 0 {
        edge::warn(format!(
            "'{}': skipped {}",
            ledger.name,
            counted(found.damaged, "damaged line")
        ));
    }
    Ok(found)
}

fn judge_one(
    ledger: Option<&LedgerFile>,
    history: &History,
    asked: &Asked,
    now: Instant,
) -> Result<Verdict, Failure> {
    let recent = history::recent_dead_ends(history);
    let mut verdict = judge(history, asked, recent, now);
    // The whole ledger is searched only when the answer matters: when the direction has to change.
    if let Some(ledger) = ledger
        && (verdict.verdict == Standing::Stalled || asked.config.escalates_at_once)
    {
        let unreadable = |error| Failure::unreadable(&ledger.name, &error);
        verdict.dead_ends = history::dead_ends(&ledger.whole(), history).map_err(unreadable)?;
    }
    Ok(verdict)
}

fn answer(asked: Option<ExitCode>, verdicts: &[Verdict]) -> Result<Answer, Failure> {
    let stalled = || {
        verdicts
            .iter()
            .filter(|verdict| verdict.verdict == Standing::Stalled)
    };
    let outcomes = || {
        verdicts.iter().flat_map(|verdict| {
            verdict
                .gate
                .into_iter()
                .chain(verdict.gates.iter().map(|gate| gate.gate))
        })
    };
    match asked {
        Some(ExitCode::All) if stalled().any(|verdict| verdict.recommend == "escalate") => {
            Ok(Answer::Person)
        }
        Some(_) if stalled().count() > 0 => Ok(Answer::ChangeDirection),
        None | Some(ExitCode::Stalled) => Ok(Answer::Done),
        Some(ExitCode::All) => match outcomes().max() {
            None => Err(Failure::failed("no attempt to judge")),
            Some(Gate::Pass) => Ok(Answer::Done),
            Some(Gate::Fail) => Ok(Answer::GateFailed),
            Some(Gate::Blocked) => Ok(Answer::GateBlocked),
        },
    }
}
