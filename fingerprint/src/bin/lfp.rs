//! `lfp`: name the failure of a run, so that the same failure has the same name tomorrow.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::process::ExitCode;

use fingerprint::args::{InputForm, Lfp};
use fingerprint::attempt::Answer;
use fingerprint::normal::Roots;
use fingerprint::scheme1::Scheme1;
use fingerprint::{Options, Report, Scanner, input, show};
use ledger::edge::{self, Answer as Exit, Failure, Format, Output, Style};
use ledger::git::Repository;
use ledger::line::Line;
use ledger::place::Home;
use ledger::read::{Forwards, Found};
use ledger::record::{Gate, GateRun};
use serde::Deserialize;
use serde_json::value::RawValue;

fn main() -> ExitCode {
    edge::run("lfp", lfp)
}

fn lfp() -> Result<Exit, Failure> {
    let args: Lfp = edge::parse()?;
    let options = options(&args)?;
    let mut tool = Tool {
        ts: edge::now()?.to_string(),
        output: edge::stdout(),
        options,
        args,
    };
    let files = if tool.args.files.is_empty() {
        vec!["-".to_owned()]
    } else {
        tool.args.files.clone()
    };
    let mut whole = true;
    for file in &files {
        let opened: Box<dyn Read> = match file.as_str() {
            "-" => Box::new(io::stdin()),
            path => Box::new(File::open(path).map_err(|error| Failure::unreadable(path, &error))?),
        };
        whole &= if tool.args.batch {
            tool.batch(opened, file)?
        } else {
            tool.one(opened, file)?
        };
    }
    if whole {
        Ok(Exit::Done)
    } else {
        Err(Failure::Said)
    }
}

fn options(args: &Lfp) -> Result<Options, Failure> {
    if args.gate == Some(Gate::Pass)
        && (args.timed_out || args.status.is_some_and(|status| status != 0))
    {
        return Err(Failure::usage(
            "--gate pass contradicts --status and --timed-out",
        ));
    }
    // A shell says with these that it could not run the command.
    let could_not_run = args.gate.is_none() && matches!(args.status, Some(126 | 127));
    Ok(Options {
        roots: roots()?,
        level: args.level.into(),
        gate: if could_not_run {
            Some(Gate::Blocked)
        } else {
            args.gate
        },
        status: args.status,
        timed_out: args.timed_out,
        name: args.name.clone(),
        cmd: String::new(),
    })
}

/// The folders of this checkout, whose names say nothing.
///
/// Folders that hold many checkouts (a home, the one for temporary files, what lies above them) are left to the rules for
/// unknown paths: cutting them off would leave the name of the checkout in front.
fn roots() -> Result<Roots, Failure> {
    let directory = edge::directory()?;
    let shared = [
        edge::variable("HOME").map(PathBuf::from),
        Some(std::env::temp_dir()),
    ];
    let top = Repository::find(&directory).map(|repository| repository.work_tree);
    let own = [Some(directory), top].into_iter().flatten();
    let own = own.filter(|folder| {
        shared
            .iter()
            .flatten()
            .all(|shared| !shared.starts_with(folder))
    });
    Ok(Roots::new(
        own.map(|folder| folder.to_string_lossy().into_owned()),
    ))
}

/// How much is read at once, in bytes.
const BLOCK: usize = 1 << 20;

struct Tool {
    args: Lfp,
    options: Options,
    output: Output,
    ts: String,
}

impl Tool {
    /// Answers one input; says whether every line of it was what it should be.
    fn one(&mut self, mut input: Box<dyn Read>, name: &str) -> Result<bool, Failure> {
        let unreadable = |error: io::Error| Failure::unreadable(name, &error);
        let is_text = self.args.gate.is_some() || self.args.status.is_some() || self.args.timed_out;
        match self.args.input {
            InputForm::Records => self.records(input, name),
            InputForm::Auto if !is_text => {
                // Whether it is records shows at its end: what is short is held in memory, what is long in a file.
                let mut head = Vec::new();
                input
                    .by_ref()
                    .take(BLOCK as u64)
                    .read_to_end(&mut head)
                    .map_err(unreadable)?;
                let first = head
                    .split(|byte| *byte == b'\n')
                    .find(|line| !line.trim_ascii().is_empty());
                if !first.is_some_and(input::is_record) {
                    self.text(head.chain(input), name)?;
                    return Ok(true);
                }
                if head.len() < BLOCK {
                    let are_records = input::are_records(head.as_slice()).map_err(unreadable)?;
                    return if are_records {
                        self.records(head.as_slice(), name)
                    } else {
                        self.text(head.as_slice(), name)
                    };
                }
                let mut spooled = edge::spool(head.chain(input)).map_err(unreadable)?;
                spooled.rewind().map_err(unreadable)?;
                let are_records = input::are_records(&spooled).map_err(unreadable)?;
                spooled.rewind().map_err(unreadable)?;
                if are_records {
                    self.records(spooled, name)
                } else {
                    self.text(spooled, name)
                }
            }
            InputForm::Auto | InputForm::Text => self.text(input, name),
        }
    }

    /// Answers the text of a run with one record.
    fn text(&mut self, input: impl Read, name: &str) -> Result<bool, Failure> {
        let (report, answer, bytes) = self
            .read(input, &self.options)
            .map_err(|error| Failure::unreadable(name, &error))?;
        let is_unknown =
            self.options.gate.is_none() && self.options.status.is_none() && !self.options.timed_out;
        if self.args.bare || self.args.explain || bytes > 0 || !is_unknown {
            let gate = report.gate;
            self.emit(&report, &answer, |tool| answer.record(&tool.ts, gate))?;
        }
        Ok(true)
    }

    /// Answers records one by one; a line that is none is named and passes through.
    fn records(&mut self, input: impl Read, name: &str) -> Result<bool, Failure> {
        let mut lines = Forwards::new(input);
        while let Some(found) = lines
            .next()
            .map_err(|error| Failure::unreadable(name, &error))?
        {
            let text = match found {
                Found::Line(text) if text.trim_ascii().is_empty() => continue,
                Found::Line(text) => text.to_vec(),
                Found::TooLong(len) => {
                    return Err(Failure::failed(format!(
                        "'{name}' line {}: {len} bytes are too long for a record",
                        lines.line()
                    )));
                }
            };
            match self.record(&text) {
                Ok(()) => {}
                Err(Bad::Line(why)) => {
                    edge::say(&format!("'{name}' line {}: {why}", lines.line()));
                    self.output.write(&[text.as_slice(), b"\n"].concat())?;
                }
                Err(Bad::Output(failure)) => return Err(failure),
            }
        }
        Ok(true)
    }

    fn record(&mut self, text: &[u8]) -> Result<(), Bad> {
        let line = Line::parse(text)?;
        if !input::is_record(text) {
            return Err(Bad::Line(
                "not the record of a gate or an attempt".to_owned(),
            ));
        }
        let run: GateRun = line.view()?;
        let named: Named = line.view()?;
        let options = Options {
            gate: run.gate,
            status: run.exit.filter(|_| run.gate.is_none()),
            timed_out: run.timed_out,
            name: named.name.unwrap_or_default(),
            cmd: run.cmd.join("\0"),
            ..self.options.clone()
        };
        if run.output.is_none() && run.output_path.is_none() && named.fingerprint.is_some() {
            // An attempt that was named before and has no text left: there is nothing to name it by.
            return Ok(self.output.emit(line.as_str())?);
        }
        let (report, answer, _) = match run
            .output_path
            .as_deref()
            .map(|path| (path, open_log(path)))
        {
            Some((_, Some(log))) => self.read(log, &options),
            Some((path, None)) => {
                edge::warn(format!(
                    "no log at '{path}' in .loop: the failure is named by what the record holds"
                ));
                self.read(
                    run.output.as_deref().unwrap_or_default().as_bytes(),
                    &options,
                )
            }
            None => self.read(
                run.output.as_deref().unwrap_or_default().as_bytes(),
                &options,
            ),
        }
        .map_err(|error| {
            Bad::Output(Failure::unreadable(
                run.output_path.unwrap_or_default(),
                &error,
            ))
        })?;
        Ok(self.emit(&report, &answer, |_| answer.added_to(&line))?)
    }

    /// Reads a text to its end and names what failed.
    fn read(&self, mut input: impl Read, options: &Options) -> io::Result<(Report, Answer, u64)> {
        let mut scanner = Scanner::new(options);
        let mut scheme1 = (self.args.scheme == 1).then(Scheme1::new);
        let mut block = vec![0; BLOCK];
        let mut bytes = 0;
        loop {
            let got = match input.read(&mut block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if got == 0 {
                break;
            }
            bytes += got as u64;
            let part = block.get(..got).unwrap_or_default();
            match &mut scheme1 {
                Some(scheme1) => scheme1.push(part),
                None => scanner.push(part),
            }
        }
        let report = scanner.finish();
        let answer = match scheme1 {
            // By scheme 1 every text has a fingerprint but that of a pass.
            Some(_) if options.outcome() == Some(Gate::Pass) => Answer::of_scheme1(String::new()),
            Some(scheme1) => Answer::of_scheme1(scheme1.finish()),
            None => Answer::of_report(&report, options.level),
        };
        Ok((report, answer, bytes))
    }

    fn emit(
        &mut self,
        report: &Report,
        answer: &Answer,
        record: impl FnOnce(&Tool) -> Line,
    ) -> Result<(), Failure> {
        let style = Style::of_stdout();
        let line = match answer.fingerprint() {
            "" if self.args.bare => "(no-failure)".to_owned(),
            bare if self.args.bare => bare.to_owned(),
            _ if self.args.explain => show::explained(report, style),
            _ if self.args.format.chosen() == Format::Text && self.args.scheme == 2 => {
                show::report(report, style)
            }
            _ => record(self).to_string(),
        };
        self.output.emit(&line)
    }

    /// Answers a stream of texts, each in a line of its own.
    fn batch(&mut self, input: impl Read, name: &str) -> Result<bool, Failure> {
        let mut lines = Forwards::with_max(input, BATCH_LINE_MAX);
        let mut whole = true;
        while let Some(found) = lines
            .next()
            .map_err(|error| Failure::unreadable(name, &error))?
        {
            let parsed = match found {
                Found::Line(text) if text.trim_ascii().is_empty() => continue,
                Found::Line(text) => {
                    serde_json::from_slice::<Sample>(text).map_err(|error| error.to_string())
                }
                Found::TooLong(len) => Err(format!("{len} bytes are too long for a sample")),
            };
            let sample = match parsed {
                Ok(sample) => sample,
                Err(why) => {
                    edge::say(&format!("'{name}' line {}: {why}", lines.line()));
                    whole = false;
                    continue;
                }
            };
            let options = Options {
                gate: sample.gate.or(self.options.gate),
                status: sample.status.or(self.options.status),
                ..self.options.clone()
            };
            let read = self.read(sample.text.as_bytes(), &options);
            let (_, answer, _) = read.map_err(|error| Failure::unreadable(name, &error))?;
            let answered = serde_json::json!(answer.fingerprint());
            self.output.emit(&format!(
                "{{\"id\":{},\"fingerprint\":{answered}}}",
                sample.id
            ))?;
        }
        Ok(whole)
    }
}

/// The longest line of a batch, in bytes: a sample is a whole log.
const BATCH_LINE_MAX: usize = 256 << 20;

#[derive(Deserialize)]
struct Sample {
    id: Box<RawValue>,
    text: String,
    gate: Option<Gate>,
    status: Option<i32>,
}

#[derive(Deserialize)]
struct Named {
    name: Option<String>,
    fingerprint: Option<String>,
}

/// Why a record was not answered.
enum Bad {
    Line(String),
    Output(Failure),
}

impl From<ledger::line::BadLine> for Bad {
    fn from(why: ledger::line::BadLine) -> Bad {
        Bad::Line(why.to_string())
    }
}

impl From<Failure> for Bad {
    fn from(failure: Failure) -> Bad {
        Bad::Output(failure)
    }
}

/// The log that a record names, if it is a plain file of the loop's own.
fn open_log(path: &str) -> Option<File> {
    let home = Home::find(&edge::directory().ok()?).ok()?;
    File::open(home.file(path)?).ok()
}
