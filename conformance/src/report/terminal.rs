//! The screen report: one screen that an engineer of the vendor can act on at seven in the morning.
//!
//! The summary comes first, then what is not passed in full, and, where asked for, the passed checks in short. The texts of
//! requirements are told once: in full where something is not passed, otherwise in one line each at the end.

use std::collections::BTreeSet;
use std::path::PathBuf;

use testbed::evidence::{Entry, Event};

use super::Evidence;
use super::text::{inert, numbers, seconds, wrapped};
use super::words;
use crate::Text;
use crate::scenario::Catalogue;
use crate::verdict::{CheckResult, ExitCode, Overall, RunResult, ScenarioResult, Verdict};

/// Width of the column with the labels.
const LABEL: usize = 12;
/// Most evidence numbers in a line.
const NUMBERS: usize = 12;
/// Most mishaps of the system under test that are told for a scenario.
const MISHAPS: usize = 4;
/// Checks that frame a scenario; they belong to no requirement of their own.
const FRAME: [&str; 3] = ["evidence", "baseline", "recovery"];
const VERDICTS: [Verdict; 7] = [
    Verdict::Pass,
    Verdict::Fail,
    Verdict::Inconclusive,
    Verdict::Warning,
    Verdict::Error,
    Verdict::Skipped,
    Verdict::NotApplicable,
];

/// How the screen looks and what it may point at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether escape sequences for colour are used.
    pub colour: bool,
    /// Width of the screen in characters; 60 at least.
    pub width: usize,
    /// Whether checks that passed are shown one by one (`scenario`), or passed scenarios by name only (`run`).
    pub every_check: bool,
    /// The run's folder, for the line that tells how to judge again.
    pub folder: Option<PathBuf>,
    /// The HTML report, for the line that points at it.
    pub report: Option<PathBuf>,
}

/// The whole screen, with a line break at the end.
#[must_use]
pub fn screen(
    run: &RunResult,
    catalogue: &Catalogue,
    evidence: &[Evidence],
    options: &Options,
) -> String {
    let mut screen = Screen {
        colour: options.colour,
        width: options.width.max(60),
        text: String::new(),
    };
    summary(&mut screen, run);
    let mut told = BTreeSet::new();
    let (passed, open): (Vec<_>, Vec<_>) = run
        .scenarios
        .iter()
        .partition(|result| result.verdict == Verdict::Pass);
    for result in open {
        screen.line("");
        scenario(
            &mut screen,
            run,
            result,
            catalogue,
            evidence,
            options,
            &mut told,
        );
    }
    if options.every_check {
        for result in passed {
            screen.line("");
            passed_scenario(&mut screen, run, result, evidence);
        }
    } else if !passed.is_empty() {
        screen.line("");
        let names: Vec<String> = passed.iter().map(|result| result.label()).collect();
        screen.fact("", "Bestått", &names.join(", "));
    }
    screen.line("");
    if options.every_check {
        short_requirements(&mut screen, run, catalogue);
    }
    if options.every_check {
        recall(&mut screen, run);
    }
    closing(&mut screen, options);
    screen.text
}

fn summary(screen: &mut Screen, run: &RunResult) {
    let counts = |word: fn(&Text) -> &str| {
        VERDICTS
            .into_iter()
            .filter(|verdict| run.count(*verdict) > 0)
            .map(|verdict| format!("{} {}", run.count(verdict), word(&words::verdict(verdict))))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let overall = run.overall.text();
    let paint = match run.overall {
        Overall::Passed => Paint::Good,
        Overall::PassedWithDeviations | Overall::Incomplete => Paint::Doubt,
        Overall::Failed => Paint::Bad,
    };
    let headline = format!("{} / {}", overall.nb, overall.en).to_uppercase();
    let headline = screen.painted(paint, &headline);
    screen.line(&format!(
        "{headline}  {} / {}",
        counts(|text| &text.nb),
        counts(|text| &text.en)
    ));
    let remark = words::no_approval();
    screen.paragraph("", &remark.nb, Paint::Dim);
    screen.paragraph("", &remark.en, Paint::Dim);
    if run.exit_code != ExitCode::Passed {
        let meaning = run.exit_code.meaning();
        screen.fact(
            "",
            "Exit code",
            &format!("{} – {meaning}", run.exit_code.number()),
        );
    }
    let adapters: BTreeSet<&str> = run
        .scenarios
        .iter()
        .map(|result| result.adapter.as_str())
        .filter(|adapter| !adapter.is_empty())
        .collect();
    for adapter in adapters {
        let examined = words::examined(adapter);
        screen.both("", "Prøvd", "Examined", &examined);
    }
    let faults: BTreeSet<&str> = run
        .scenarios
        .iter()
        .flat_map(|result| result.sut_faults.iter().map(String::as_str))
        .collect();
    for fault in faults {
        let told = words::seeded_fault(fault).unwrap_or_default();
        screen.fact("", "Innlagt feil", &format!("{fault}: {}", told.nb));
        screen.fact("", "Seeded fault", &format!("{fault}: {}", told.en));
    }
}

fn scenario(
    screen: &mut Screen,
    run: &RunResult,
    result: &ScenarioResult,
    catalogue: &Catalogue,
    evidence: &[Evidence],
    options: &Options,
    told: &mut BTreeSet<String>,
) {
    let word = words::verdict(result.verdict);
    let mark = format!("{} {}", words::sign(result.verdict), word).to_uppercase();
    let mark = screen.painted(Paint::of(result.verdict), &mark);
    let label = screen.painted(Paint::Strong, &result.label());
    screen.line(&format!(
        "{mark}  {label}  ({}, {}, {})",
        words::level_name(result.level),
        inert(&result.reason_code),
        seconds(result.duration_ms),
    ));
    screen.paragraph("  ", &result.title.to_string(), Paint::Strong);
    if let Some(known) = run.known_failure(result) {
        screen.fact("  ", "Kjent/known", &inert(&known.reason));
    }
    if let Some(evidence) = Evidence::of(evidence, result) {
        mishaps(screen, &evidence.entries);
    }
    let file = Evidence::of(evidence, result).map(Evidence::short_name);
    let (closed, open): (Vec<_>, Vec<_>) = result.checks.iter().partition(|check| {
        matches!(
            check.verdict,
            Verdict::Pass | Verdict::Skipped | Verdict::NotApplicable
        )
    });
    let cause = open.first().filter(|check| is_frame(check));
    for check in &open {
        if cause.is_some_and(|cause| cause != check) && check.verdict != Verdict::Fail {
            in_passing(screen, check);
        } else {
            open_check(screen, check, file.as_deref());
        }
    }
    if told.insert(result.id.clone()) {
        requirements(screen, result, catalogue);
        screen.both("  ", "Hvorfor", "Why", &result.why);
    }
    for check in closed {
        if options.every_check && check.verdict == Verdict::Pass && !is_frame(check) {
            passed_check(screen, check);
        } else {
            in_passing(screen, check);
        }
    }
}

/// A scenario that passed: each check with requirement, expectation, observation and evidence, and nothing else.
fn passed_scenario(
    screen: &mut Screen,
    run: &RunResult,
    result: &ScenarioResult,
    evidence: &[Evidence],
) {
    let word = words::verdict(result.verdict);
    let mark = format!("{} {}", words::sign(result.verdict), word).to_uppercase();
    let mark = screen.painted(Paint::of(result.verdict), &mark);
    let label = screen.painted(Paint::Strong, &result.label());
    let place = Evidence::of(evidence, result).map(Evidence::short_name);
    let place = place.map_or_else(String::new, |place| format!("  {place}"));
    screen.line(&format!(
        "{mark}  {label}  ({}, {}){place}",
        words::level_name(result.level),
        seconds(result.duration_ms),
    ));
    screen.paragraph("  ", &result.title.to_string(), Paint::Strong);
    if let Some(known) = run.known_failure(result) {
        screen.fact("  ", "Kjent/known", &inert(&known.reason));
    }
    let (frame, own): (Vec<_>, Vec<_>) = result.checks.iter().partition(|check| is_frame(check));
    for check in own {
        if check.verdict == Verdict::Pass {
            passed_check(screen, check);
        } else {
            in_passing(screen, check);
        }
    }
    for check in frame {
        let sign = screen.painted(Paint::of(check.verdict), words::sign(check.verdict));
        let observed = inert(&check.observed.to_string());
        let rest_on = numbers(&check.evidence, NUMBERS);
        screen.line(&format!("  {sign} {}: {observed} {rest_on}", check.check));
    }
}

/// What the ids stand for, in one line each, for those that no open scenario has told in full.
fn short_requirements(screen: &mut Screen, run: &RunResult, catalogue: &Catalogue) {
    let of = |passed: bool| {
        run.scenarios
            .iter()
            .filter(move |result| (result.verdict == Verdict::Pass) == passed)
            .flat_map(|result| result.requirements.iter())
            .collect::<BTreeSet<_>>()
    };
    for id in of(true).difference(&of(false)) {
        let row = catalogue.requirements.iter().find(|row| row.id == **id);
        let text = row.map_or_else(String::new, |row| row.text.nb.clone());
        let line = format!("{id:LABEL$} {}", inert(&text));
        let line = match line.char_indices().nth(screen.width) {
            None => line,
            Some(_) => line.chars().take(screen.width - 1).chain(['…']).collect(),
        };
        screen.line(&line);
    }
}

/// What happened to the system under test itself and may explain the rest: it ended, or left a question unanswered.
fn mishaps(screen: &mut Screen, entries: &[Entry]) {
    let told = entries.iter().filter_map(|entry| match &entry.event {
        Event::SutExited {
            status,
            expected: false,
            ..
        } => Some(Text::new(
            format!("Systemet avsluttet av seg selv: {status} (#{})", entry.n),
            format!("The system ended by itself: {status} (#{})", entry.n),
        )),
        Event::SutUnanswered { verb, reason, .. } => Some(Text::new(
            format!("Systemet svarte ikke på {verb}: {reason} (#{})", entry.n),
            format!("The system did not answer {verb}: {reason} (#{})", entry.n),
        )),
        _ => None,
    });
    for text in told.take(MISHAPS) {
        screen.both("  ", "Hendte", "Happened", &text);
    }
}

fn is_frame(check: &CheckResult) -> bool {
    FRAME.contains(&check.check.as_str())
}

fn requirements(screen: &mut Screen, result: &ScenarioResult, catalogue: &Catalogue) {
    for id in &result.requirements {
        let found = catalogue.requirements.iter().find(|row| row.id == *id);
        let Some(row) = found else {
            screen.fact("  ", "Krav", id);
            continue;
        };
        let source = words::basis(row.basis);
        let nb = format!("{id} ({}): {}", source.nb, row.text.nb);
        let en = format!("{id} ({}): {}", source.en, row.text.en);
        screen.both("  ", "Krav", "Requirement", &Text::new(nb, en));
    }
}

/// A check that did not pass: everything that is known about it.
fn open_check(screen: &mut Screen, check: &CheckResult, file: Option<&str>) {
    name(screen, check);
    let indent = "    ";
    if let Some(fail) = &check.fail {
        screen.both(indent, "Galt", "Wrong", fail);
    }
    screen.both(indent, "Ventet", "Expected", &check.expected);
    screen.both(indent, "Sett", "Observed", &check.observed);
    for fact in &check.recorded {
        screen.both(indent, "Notert", "Recorded", fact);
    }
    if let Some(mend) = &check.mend {
        screen.both(indent, "Rett opp", "Mend", mend);
    }
    let place = file.map(|file| format!("  ({file})")).unwrap_or_default();
    let rest_on = numbers(&check.evidence, NUMBERS);
    screen.fact(indent, "Bevis", &format!("{rest_on}{place}"));
}

/// A check that passed, in short: what had to be seen and what was seen, and what it rests on.
fn passed_check(screen: &mut Screen, check: &CheckResult) {
    let sign = screen.painted(Paint::of(check.verdict), words::sign(check.verdict));
    let shown = screen.painted(Paint::Strong, &check.check);
    let step = check.step.as_ref().filter(|step| **step != check.check);
    let step = step.map_or_else(String::new, |step| format!(" · {step}"));
    screen.line(&format!(
        "  {sign} {shown}{step}  {}  {}",
        check.requirements.join(", "),
        numbers(&check.evidence, NUMBERS)
    ));
    let indent = "    ";
    let line =
        |expected: &str, observed: &str| format!("{} → {}", inert(expected), inert(observed));
    let (expected, observed) = (&check.expected, &check.observed);
    screen.fact(indent, "Ventet→sett", &line(&expected.nb, &observed.nb));
    screen.fact(indent, "Expect→seen", &line(&expected.en, &observed.en));
}

/// A check about which a remark is enough.
fn in_passing(screen: &mut Screen, check: &CheckResult) {
    name(screen, check);
    let rest_on = numbers(&check.evidence, NUMBERS);
    let observed = inert(&check.observed.to_string());
    screen.paragraph("    ", &format!("{observed} {rest_on}"), Paint::Dim);
}

fn name(screen: &mut Screen, check: &CheckResult) {
    let sign = screen.painted(Paint::of(check.verdict), words::sign(check.verdict));
    let name = screen.painted(Paint::Strong, &check.check);
    let step = check
        .step
        .as_ref()
        .filter(|step| **step != check.check)
        .map(|step| format!(" · {step}"))
        .unwrap_or_default();
    let reason = match check.verdict {
        Verdict::Pass => String::new(),
        verdict => format!(
            "  {} ({})",
            words::verdict(verdict),
            inert(&check.reason_code)
        ),
    };
    screen.line(&format!("  {sign} {name}{step}{reason}"));
}

/// Names what is open once more: passed checks may have pushed it off the screen.
fn recall(screen: &mut Screen, run: &RunResult) {
    let is_open = |result: &&ScenarioResult| result.verdict != Verdict::Pass;
    if run.scenarios.iter().all(|result| is_open(&result)) {
        return;
    }
    let mut label = "Se øverst";
    for result in run.scenarios.iter().filter(is_open) {
        let sign = words::sign(result.verdict);
        let reason = inert(&result.reason_code);
        screen.fact("", label, &format!("{sign} {} {reason}", result.label()));
        label = "See top";
    }
}

fn closing(screen: &mut Screen, options: &Options) {
    if let Some(report) = &options.report {
        screen.fact("", "Rapport", &report.display().to_string());
    }
    if let Some(folder) = &options.folder {
        screen.fact(
            "",
            "Etterprøv",
            &format!("provenett replay {}", folder.display()),
        );
    }
}

#[derive(Clone, Copy)]
enum Paint {
    Good,
    Bad,
    Doubt,
    Dim,
    Strong,
}

impl Paint {
    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Good,
            Verdict::Fail | Verdict::Error => Self::Bad,
            Verdict::Warning | Verdict::Inconclusive => Self::Doubt,
            Verdict::Skipped | Verdict::NotApplicable => Self::Dim,
        }
    }

    /// Parameters of "select graphic rendition" (ECMA-48 section 8.3.117).
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32;1",
            Self::Bad => "31;1",
            Self::Doubt => "33;1",
            Self::Dim => "2",
            Self::Strong => "1",
        }
    }
}

/// Wraps in colour when asked to.
pub(super) fn painted(colour: bool, verdict: Verdict, text: &str) -> String {
    paint(colour, Paint::of(verdict), text)
}

fn paint(colour: bool, paint: Paint, text: &str) -> String {
    if colour {
        format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code())
    } else {
        text.to_owned()
    }
}

struct Screen {
    colour: bool,
    width: usize,
    text: String,
}

impl Screen {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn painted(&self, how: Paint, text: &str) -> String {
        paint(self.colour, how, text)
    }

    fn paragraph(&mut self, indent: &str, text: &str, how: Paint) {
        for line in wrapped(&inert(text), self.width - indent.len()) {
            let line = self.painted(how, &line);
            self.line(&format!("{indent}{line}"));
        }
    }

    /// A label and a text beside it.
    fn fact(&mut self, indent: &str, label: &str, text: &str) {
        let width = self.width.saturating_sub(indent.len() + LABEL + 1);
        for (count, line) in wrapped(&inert(text), width).into_iter().enumerate() {
            let label = if count == 0 { label } else { "" };
            let label = self.painted(Paint::Dim, &format!("{label:LABEL$}"));
            self.line(&format!("{indent}{label} {line}"));
        }
    }

    fn both(&mut self, indent: &str, nb: &str, en: &str, text: &Text) {
        self.fact(indent, nb, &text.nb);
        self.fact(indent, en, &text.en);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn options(every_check: bool) -> Options {
        Options {
            width: 100,
            every_check,
            folder: Some("provenett-runs/1".into()),
            report: Some("provenett-runs/1/report.html".into()),
            ..Options::default()
        }
    }

    #[test]
    fn the_summary_is_the_first_line() {
        let (run, evidence) = sample::mixed();
        let text = screen(&run, &sample::catalogue(), &evidence, &options(false));
        let first = text.lines().next().unwrap();
        assert!(first.starts_with("UFULLSTENDIG / INCOMPLETE"), "{first}");
        assert!(
            first.contains("1 ikke bestått") && first.contains("1 fail"),
            "{first}"
        );
        assert!(text.contains("ingen godkjenning") && text.contains("no approval"));
        assert!(text.contains("Exit code    11"), "{text}");
    }

    #[test]
    fn a_failure_is_told_in_full_in_both_languages() {
        let (run, evidence) = sample::mixed();
        let text = screen(&run, &sample::catalogue(), &evidence, &options(false));
        for part in [
            "✗ IKKE BESTÅTT / FAIL  REV-05 (10s)  (must, stalled, ",
            "  Treg tilbakekallingssjekk / Slow revocation check",
            "REQ-REV-02 (Norsk helsenett): ",
            "Galt ",
            "Wrong ",
            "Ventet ",
            "Expected ",
            "Sett ",
            "Observed ",
            "Hvorfor ",
            "Why ",
            "Rett opp     Sett tidsgrensen for CRL og OCSP til 1 sekund",
            "Mend         Set the time limit for CRL and OCSP to 1 second",
            "REV-05+REV-06.10s/evidence.jsonl",
            "Examined     Prøvenett's own reference EPJ, not a vendor's system",
            "Seeded fault crl-timeout-15s: The EPJ waits up to 15 seconds",
            "provenett replay provenett-runs/1",
            "Bestått      REV-05 (3s), REV-06 (3s), REV-06 (10s)",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn passed_checks_show_requirement_expected_observed_and_evidence() {
        let (run, evidence) = sample::passed();
        let text = screen(&run, &sample::catalogue(), &evidence, &options(true));
        assert!(
            text.starts_with("BESTÅTT / PASSED  2 bestått / 2 pass"),
            "{text}"
        );
        for check in run.scenarios.iter().flat_map(|result| &result.checks) {
            assert!(text.contains(&format!("✓ {}", check.check)), "{text}");
        }
        for part in [
            "✓ outcome-below · cold  REQ-REV-02, REQ-COM-03  #",
            "Ventet→sett  ",
            "Expect→seen  ",
            "(must, ",
            "REV-05+REV-06.3s/evidence.jsonl",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn a_green_screen_is_short_and_tells_each_requirement_once() {
        let (run, evidence) = sample::passed();
        let text = screen(&run, &sample::catalogue(), &evidence, &options(true));
        assert!(text.lines().count() < 55, "{text}");
        for id in ["REQ-REV-02", "REQ-REV-03", "REQ-COM-03"] {
            let told = text.lines().filter(|line| line.starts_with(id)).count();
            assert_eq!(told, 1, "{id}\n{text}");
        }
    }

    #[test]
    fn what_is_not_passed_stands_first_and_is_recalled_at_the_end() {
        let (run, evidence) = sample::mixed();
        let text = screen(&run, &sample::catalogue(), &evidence, &options(true));
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}\n{text}"));
        assert!(at("FAIL  REV-05 (10s)") < at("PASS  REV-05 (3s)"));
        let recalled = at("Se øverst    ✗ REV-05 (10s) stalled");
        assert!(at("PASS  REV-06 (10s)") < recalled, "{text}");
    }

    #[test]
    fn no_line_is_wider_than_the_screen_and_nothing_is_obeyed() {
        let (run, evidence) = sample::mixed();
        for every_check in [false, true] {
            let text = screen(&run, &sample::catalogue(), &evidence, &options(every_check));
            assert!(
                !text.contains('\u{1b}') && !text.contains('\u{202e}'),
                "{text}"
            );
            for line in text.lines().skip(1) {
                assert!(line.chars().count() <= 100, "{line}");
            }
        }
    }

    #[test]
    fn colour_is_used_only_when_asked_for() {
        let (run, evidence) = sample::passed();
        let coloured = Options {
            colour: true,
            ..options(false)
        };
        let text = screen(&run, &sample::catalogue(), &evidence, &coloured);
        assert!(text.starts_with("\u{1b}[32;1mBESTÅTT"), "{text:?}");
    }

    #[test]
    fn a_system_that_ended_or_did_not_answer_is_told_of() {
        let (run, mut evidence) = sample::mixed();
        let entries = &mut evidence[1].entries;
        let mut exited = entries[entries.len() - 1].clone();
        exited.event = Event::SutExited {
            pid: Some(7),
            status: "exit status: 9".into(),
            expected: false,
        };
        let mut unanswered = exited.clone();
        unanswered.event = Event::SutUnanswered {
            verb: "run-komtest".into(),
            call: 1,
            reason: "no answer within 60 s".into(),
        };
        entries.extend([exited, unanswered]);
        let text = screen(&run, &sample::catalogue(), &evidence, &options(true));
        for part in [
            "Happened     The system ended by itself: exit status: 9 (#",
            "Happened     The system did not answer run-komtest: no answer within 60 s (#",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
