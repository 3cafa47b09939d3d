//! The table: what was measured, against what, what is aimed at, and what came out.

/// What a figure is aimed at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Target {
    /// It should not be more.
    AtMost(f64),
    /// It should not be less.
    AtLeast(f64),
    /// It is for information.
    None,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Times the rival's.
    Ratio,
    /// Things.
    Count,
    /// Mebibytes.
    Mib,
    /// Milliseconds.
    Ms,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// What was measured.
    pub(crate) what: String,
    /// What it is compared with; empty for a count.
    pub(crate) against: String,
    /// What is aimed at.
    pub(crate) target: Target,
    /// What the figure counts.
    pub(crate) unit: Unit,
    /// The figure, or why there is none.
    pub(crate) figure: Result<f64, String>,
    /// What the figure was made from.
    pub(crate) note: String,
}

impl Line {
    /// A comparison that could not be made, and why.
    pub(crate) fn skipped(what: &str, against: &str, why: impl Into<String>) -> Line {
        Line {
            what: what.to_owned(),
            against: against.to_owned(),
            target: Target::None,
            unit: Unit::Ratio,
            figure: Err(why.into()),
            note: String::new(),
        }
    }

    /// A count.
    pub(crate) fn count(what: &str, target: Target, figure: f64, note: &str) -> Line {
        Line {
            what: what.to_owned(),
            against: String::new(),
            target,
            unit: Unit::Count,
            figure: Ok(figure),
            note: note.to_owned(),
        }
    }

    /// The line as it is printed.
    pub(crate) fn shown(&self) -> String {
        let (target, figure, answer, note) = match &self.figure {
            Err(why) => (String::new(), "-".to_owned(), "skipped", why.as_str()),
            Ok(figure) => (
                self.aimed_at(),
                number(*figure, self.unit),
                self.answer(*figure),
                self.note.as_str(),
            ),
        };
        columns([&self.what, &self.against, &target, &figure, answer, note])
    }

    fn aimed_at(&self) -> String {
        match self.target {
            Target::AtMost(limit) => format!("≤ {}", number(limit, self.unit)),
            Target::AtLeast(limit) => format!("≥ {}", number(limit, self.unit)),
            Target::None => String::new(),
        }
    }

    fn answer(&self, figure: f64) -> &'static str {
        match self.target {
            Target::AtMost(limit) if figure > limit => "misses",
            Target::AtLeast(limit) if figure < limit => "misses",
            Target::None => "",
            _ => "ok",
        }
    }
}

/// The first line of the table.
pub(crate) fn heading() -> String {
    columns([
        "what",
        "against",
        "target",
        "figure",
        "",
        "medians, and the range of the ratios",
    ])
}

fn columns(cells: [&str; 6]) -> String {
    let [what, against, target, figure, answer, note] = cells;
    format!("{what:<51} {against:<38} {target:>9} {figure:>9} {answer:<7} {note}")
        .trim_end()
        .to_owned()
}

fn number(figure: f64, unit: Unit) -> String {
    match unit {
        Unit::Ratio if figure < 10.0 => format!("{figure:.2}×"),
        Unit::Ratio => format!("{figure:.0}×"),
        Unit::Count if figure >= 1e6 => format!("{:.2} M", figure / 1e6),
        Unit::Count => format!("{figure:.0}"),
        Unit::Mib => format!("{figure:.1} MiB"),
        Unit::Ms => format!("{figure:.1} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: Target, figure: f64, expected: &str) {
        let line = Line::count("calls", target, figure, "");
        assert!(line.shown().ends_with(expected), "{}", line.shown());
    }

    #[test]
    fn targets_are_compared_with_figures() {
        check(Target::AtMost(75.0), 75.0, "≤ 75        75 ok");
        check(Target::AtMost(75.0), 76.0, "≤ 75        76 misses");
        check(Target::AtLeast(1e6), 2_500_000.0, "≥ 1.00 M    2.50 M ok");
        check(Target::None, 3.0, " 3");
    }

    #[test]
    fn a_skipped_line_says_why() {
        assert!(
            Line::skipped("a", "b", "no rival")
                .shown()
                .ends_with("skipped no rival")
        );
    }
}
