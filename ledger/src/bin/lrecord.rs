//! `lrecord`: append records to the ledger of a run, so that none is lost.

use std::process::ExitCode;

use ledger::args::{Iteration, Lrecord};
use ledger::draft::{self, Before, Draft, Given};
use ledger::edge::{self, Answer, Failure, Format, Output, Style};
use ledger::git::{self, Repository};
use ledger::line::Edit;
use ledger::log::{self, Log, LogError, Tail};
use ledger::notes::Notes;
use ledger::place::{Place, Source};
use ledger::read::Found;
use ledger::record::{Gate, Kind};
use ledger::show;

fn main() -> ExitCode {
    edge::run("lrecord", lrecord)
}

fn lrecord() -> Result<Answer, Failure> {
    let args: Lrecord = edge::parse()?;
    let place = args.ledger.place()?;
    let mut writer = Writer::open(&args, place)?;
    if let Some(kind) = kind_from_flags(&args) {
        let draft = Draft::flags(kind, &writer.given).map_err(Failure::usage)?;
        writer.store(vec![draft])?;
    } else {
        copy_stdin(&mut writer)?;
    }
    writer.finish(args.exit_code)
}

/// The kind of the record that flags alone make; none if records come from stdin.
fn kind_from_flags(args: &Lrecord) -> Option<Kind> {
    let wanted = args.kind.is_some()
        || args.new_findings.is_some()
        || args.no_stdin
        || edge::stdin_is_terminal();
    let default = if args.new_findings.is_some() {
        Kind::Iteration
    } else {
        Kind::Attempt
    };
    wanted.then(|| args.kind.unwrap_or(default))
}

/// What flags say of every record; an empty text takes the field away.
fn fields(args: &Lrecord) -> Vec<(String, String)> {
    let quoted = |text: &String| {
        if text.is_empty() {
            "null".to_owned()
        } else {
            serde_json::json!(text).to_string()
        }
    };
    let texts = [
        ("name", &args.name),
        ("action", &args.action),
        ("hypothesis", &args.hypothesis),
        ("note", &args.note),
        ("commit", &args.commit),
        ("phase", &args.phase),
        ("direction", &args.direction),
    ];
    let mut fields: Vec<(String, String)> = texts
        .into_iter()
        .filter_map(|(name, text)| text.as_ref().map(|text| (name.to_owned(), quoted(text))))
        .collect();
    fields.extend(
        args.gate
            .map(|gate| ("gate".to_owned(), format!("\"{}\"", gate.as_str()))),
    );
    fields.extend(
        args.new_findings
            .map(|count| ("new_findings".to_owned(), count.to_string())),
    );
    fields.extend(
        args.set
            .iter()
            .map(|(name, text)| (name.clone(), quoted(text))),
    );
    fields.extend(args.json.iter().cloned());
    fields
}

/// The notes at the end of a file; none if it has no notes block.
fn read_notes(path: &str) -> Result<Option<Notes>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
    let notes = Notes::parse(&String::from_utf8_lossy(&bytes));
    if notes.is_none() {
        edge::warn(format!("'{path}' has no notes block"));
    }
    Ok(notes)
}

/// How much of a stream is stored with one write and one flush, in bytes.
const BATCH: usize = 1 << 20;

fn copy_stdin(writer: &mut Writer) -> Result<(), Failure> {
    let mut lines = edge::stdin();
    let mut batch = Vec::new();
    let mut size = 0;
    let unreadable = |error| Failure::unreadable("-", &error);
    while let Some(found) = lines.next().map_err(unreadable)? {
        let draft = match found {
            Found::Line(line) if line.trim_ascii().is_empty() => None,
            Found::Line(line) => {
                size += line.len();
                Some(Draft::stdin(line, &writer.given))
            }
            Found::TooLong(len) => Some(Err(ledger::line::BadLine::TooLong(len))),
        };
        match draft {
            None => {}
            Some(Ok(draft)) => batch.push(draft),
            Some(Err(why)) => writer.refuse(&format!("stdin line {}: {why}", lines.line())),
        }
        // What is there now is stored now: a slow stream record by record, a fast one in large batches.
        while !lines.is_ready() && size < BATCH && edge::input_waits() {
            lines.fill().map_err(unreadable)?;
        }
        if !batch.is_empty() && (size >= BATCH || !lines.is_ready()) {
            writer.store(std::mem::take(&mut batch))?;
            size = 0;
        }
    }
    if !batch.is_empty() {
        writer.store(batch)?;
    }
    if writer.stored == 0 && !writer.refused {
        return Err(Failure::failed("no record on stdin"));
    }
    Ok(())
}

/// A ledger being written, and what is known of every record.
struct Writer {
    place: Place,
    given: Given,
    log: Log,
    notes: Option<Notes>,
    directory: std::path::PathBuf,
    output: Output,
    format: Format,
    stored: u64,
    refused: bool,
    worst: Option<Gate>,
}

impl Writer {
    fn open(args: &Lrecord, place: Place) -> Result<Writer, Failure> {
        let directory = edge::directory()?;
        let given = Given {
            now: edge::now()?,
            is_run_ledger: place.run.is_some() && matches!(place.source, Source::Home(..)),
            run: place.run.clone(),
            fields: fields(args),
            commit: Repository::find(&directory).and_then(|repository| repository.head()),
            iteration: match args.iteration {
                Iteration::Auto => None,
                Iteration::Number(number) => Some(number),
            },
            id: args.id.clone(),
        };
        let notes = args.notes.as_deref().map(read_notes).transpose()?.flatten();
        let Some(path) = place.path() else {
            return Err(Failure::usage("a ledger to write cannot be '-'"));
        };
        if let Source::Home(home, file) = &place.source {
            home.make(file.parent().unwrap_or(std::path::Path::new("")))
                .map_err(Failure::failed)?;
        }
        let options = log::Options {
            wait: args.wait,
            sync: args.sync.into(),
            follow_links: matches!(place.source, Source::File(_)),
            allow_nfs: args.allow_nfs,
        };
        Ok(Writer {
            place: Place {
                named: false,
                ..place
            },
            given,
            log: Log::new(&path, options),
            notes,
            directory,
            output: edge::echo(),
            format: args.format.chosen(),
            stored: 0,
            refused: false,
            worst: None,
        })
    }

    fn refuse(&mut self, why: &str) {
        edge::say(why);
        self.refused = true;
    }

    fn store(&mut self, mut drafts: Vec<Draft>) -> Result<(), Failure> {
        if self.given.id.is_some() && self.stored + drafts.len() as u64 > 1 {
            return Err(Failure::failed("--id names one record, and there are more"));
        }
        for draft in &mut drafts {
            self.say_what_was_tried(draft);
        }
        let mut before = Before::default();
        let mut duplicate = None;
        let given = &self.given;
        let appended = self.log.append(|tail| {
            if let Some(id) = &given.id {
                duplicate = draft::find_id(tail, id)?;
            }
            let new = if duplicate.is_none() {
                drafts.as_slice()
            } else {
                &[]
            };
            new.iter()
                .map(|draft| before.finish(draft, given, tail))
                .collect()
        });
        let appended = appended.map_err(|error| match error {
            LogError::Busy(..) => Failure::Later(error.to_string()),
            other => Failure::failed(other),
        })?;
        if appended.healed_bytes > 0 {
            edge::warn(format!(
                "healed a torn tail of {} bytes",
                appended.healed_bytes
            ));
        }
        for (line, draft) in appended.lines.iter().zip(&drafts) {
            self.stored += 1;
            self.worst = self.worst.max(draft.gate());
            self.emit(line)?;
        }
        if let Some(stored) = duplicate {
            self.stored += 1;
            let line = stored.edit(&Edit::new().without("crc").end("duplicate", &true));
            self.emit(line.as_str())?;
        }
        appended
            .error
            .map_or(Ok(()), |error| Err(Failure::failed(error)))
    }

    /// Gives an attempt without an action the agent's notes, else the subject of a commit that is new to its history.
    fn say_what_was_tried(&mut self, draft: &mut Draft) {
        if !draft.lacks_action() {
            return;
        }
        if let Some(notes) = &self.notes {
            notes.add_to(draft);
            return;
        }
        let Some(commit) = draft.commit_without_action() else {
            return;
        };
        let (run, name) = draft.history();
        let last = match edge::open_ledger(&self.place) {
            Ok(Some(ledger)) => draft::last_commit(&Tail::new(&ledger.file, ledger.len), run, name)
                .ok()
                .flatten(),
            _ => None,
        };
        if last.as_deref() == Some(commit) {
            return;
        }
        if let Some(subject) = git::subject(&self.directory, commit) {
            draft.add("action", &subject);
        }
    }

    fn emit(&mut self, line: &str) -> Result<(), Failure> {
        match self.format {
            Format::Jsonl => self.output.emit(line),
            Format::Text => self.output.emit(&show::record(line, Style::of_stdout())),
        }
    }

    fn finish(self, exit_code: bool) -> Result<Answer, Failure> {
        self.log.finish().map_err(Failure::failed)?;
        if self.refused {
            return Err(Failure::Said);
        }
        Ok(match self.worst {
            Some(Gate::Blocked) if exit_code => Answer::GateBlocked,
            Some(Gate::Fail) if exit_code => Answer::GateFailed,
            _ => Answer::Done,
        })
    }
}
