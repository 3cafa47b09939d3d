//! Followers see every record once, in order, whatever happens to the files.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use crate::place::{Place, binary, has_strace, number};

const ATTEMPT: &str = r#"{"kind":"attempt","gate":"fail"}"#;

struct Follower {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Follower {
    fn of(place: &Place, line: &str) -> Follower {
        Follower::start(&mut place.command(line))
    }

    fn start(command: &mut Command) -> Follower {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout: ChildStdout = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Follower { child, lines }
    }

    #[track_caller]
    fn next(&self) -> u64 {
        number(&self.lines.recv_timeout(Duration::from_secs(20)).unwrap())
    }

    #[track_caller]
    fn sees(&self, numbers: impl IntoIterator<Item = u64>) {
        for expected in numbers {
            assert_eq!(self.next(), expected);
        }
    }

    #[track_caller]
    fn sees_nothing(&self) {
        let line = self.lines.recv_timeout(Duration::from_millis(500));
        assert!(line.is_err(), "{line:?}");
    }
}

#[test]
fn a_follower_waits_for_a_ledger_and_goes_through_its_rotations() {
    let place = Place::new();
    let follower = Follower::of(&place, "llog --follow");
    follower.sees_nothing();
    place.record(&[ATTEMPT]);
    follower.sees([1]);
    place.record(&[ATTEMPT, ATTEMPT]);
    place.rotate();
    follower.sees([2, 3, 4]);
    // Twice between two looks, with records that only a sealed segment has by then.
    place.record(&[ATTEMPT]);
    place.rotate();
    place.record(&[ATTEMPT]);
    place.rotate();
    place.record(&[ATTEMPT]);
    follower.sees(5..=9);
    place.record(&[ATTEMPT]);
    place.pack();
    follower.sees([10]);
    follower.sees_nothing();
}

#[test]
fn half_a_line_is_never_shown() {
    let place = Place::new();
    place.record(&[ATTEMPT]);
    let follower = Follower::of(&place, "llog --follow -n 1");
    follower.sees([1]);
    let line = place.record(&[ATTEMPT]).remove(0);
    follower.sees([2]);
    let line = ledger::seal::seal(ATTEMPT, number(&line) + 1);
    let mut file = fs::File::options()
        .append(true)
        .open(place.ledger())
        .unwrap();
    file.write_all(&line.as_bytes()[..20]).unwrap();
    follower.sees_nothing();
    file.write_all(&line.as_bytes()[20..]).unwrap();
    follower.sees_nothing();
    file.write_all(b"\n").unwrap();
    follower.sees([3]);
}

#[test]
fn a_repaired_ledger_is_not_shown_again_and_a_new_one_is() {
    let place = Place::new();
    place.record(&[ATTEMPT, ATTEMPT]);
    let mut text = fs::read(place.ledger()).unwrap();
    text.splice(0..0, b"garbage\n".iter().copied());
    fs::write(place.ledger(), text).unwrap();
    let follower = Follower::of(&place, "llog --follow");
    follower.sees([1, 2]);
    assert_eq!(place.run("lverify --repair").code, Some(0));
    place.record(&[ATTEMPT]);
    follower.sees([3]);
    fs::remove_file(place.ledger()).unwrap();
    std::thread::sleep(Duration::from_millis(400));
    place.record(&[ATTEMPT]);
    follower.sees([1]);
}

#[test]
fn a_follower_goes_on_after_a_rotation_that_was_killed() {
    let place = Place::new();
    place.record(&[ATTEMPT]);
    fs::rename(place.ledger(), place.path().join("l.jsonl.1-1")).unwrap();
    let follower = Follower::of(&place, "llog --follow");
    follower.sees([1]);
    place.record(&[ATTEMPT]);
    follower.sees([2]);
    place.rotate();
    follower.sees([3]);
}

#[test]
fn what_is_written_between_the_last_look_and_the_new_name_is_not_lost() {
    if !has_strace() {
        return;
    }
    let place = Place::new();
    place.record(&[ATTEMPT]);
    // Slow to look at names, so that records and rotations come between that and its last look at the file.
    let mut slow = Command::new("strace");
    slow.args(["-D", "-qq", "-o", "/dev/null", "-e", "trace=statx"])
        .args(["-e", "inject=statx:delay_enter=60000"])
        .args([
            binary("llog"),
            "--follow",
            "--ledger",
            "l.jsonl",
            "--format",
            "jsonl",
        ])
        .current_dir(place.path());
    let follower = Follower::start(&mut slow);
    follower.sees([1]);
    for round in 0..15 {
        place.record(&[ATTEMPT]);
        place.rotate();
        let last = 3 + 2 * round;
        follower.sees([last - 1, last]);
        std::thread::sleep(Duration::from_millis(40 + 17 * round));
    }
}

#[test]
fn a_follower_without_a_reader_ends_by_the_signal() {
    let place = Place::new();
    place.record(&[ATTEMPT]);
    let mut child = place
        .command("llog --follow")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 10]).unwrap();
    // Nothing more is ever appended: it notices all the same.
    drop(stdout);
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().signal(), said.as_str()),
        (Some(13), "")
    );
}

#[test]
fn followers_see_every_record_once_while_it_is_rotated() {
    let place = Place::new();
    let followers: Vec<Follower> = (0..2)
        .map(|_| Follower::of(&place, "llog --follow"))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut log = place.log();
                for _ in 0..150 {
                    let line = ledger::line::Line::parse(ATTEMPT.as_bytes()).unwrap();
                    assert_eq!(log.append(|_| Ok(vec![line])).unwrap().stored.len(), 1);
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
        }
        for _ in 0..25 {
            place.rotate();
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let last = place.lines().last().map(|line| number(line)).unwrap();
    for follower in &followers {
        let first = follower.next();
        follower.sees(first + 1..=last);
        follower.sees_nothing();
    }
}
