//! `explain`: what a scenario does, why, how it judges, and how to mend what it finds.

use std::sync::Arc;

use super::describe;
use crate::check::expectation;
use crate::report::text::wrapped;
use crate::report::words;
use crate::scenario::{Cache, Catalogue, Scenario};

const WIDTH: usize = 100;

/// The explanation of several scenarios (an alias can name more than one), in Norwegian and English.
#[must_use]
pub fn scenarios(chosen: &[Arc<Scenario>], catalogue: &Catalogue) -> String {
    let texts: Vec<String> = chosen
        .iter()
        .map(|scenario| explain(scenario, catalogue))
        .collect();
    texts.join("\n")
}

/// The explanation of one scenario.
#[must_use]
pub fn explain(scenario: &Scenario, catalogue: &Catalogue) -> String {
    let mut page = Page(String::new());
    page.item("", &format!("{} {}", scenario.id, scenario.title));
    page.item(
        "  ",
        &format!(
            "{} · {} · {}",
            words::level(scenario.level),
            words::role(scenario.role),
            scenario.path
        ),
    );
    if !scenario.aliases.is_empty() {
        page.item("  ", &format!("alias: {}", scenario.aliases.join(", ")));
    }
    page.heading("Hvorfor / Why");
    page.both(&scenario.why);
    page.heading("Krav / Requirements");
    for id in &scenario.covers {
        if let Some(row) = catalogue.requirements.iter().find(|row| row.id == *id) {
            let basis = words::basis(row.basis);
            let basis = if basis.nb == basis.en {
                basis.nb
            } else {
                basis.to_string()
            };
            page.item("  ", &format!("{id} ({basis})"));
            page.both(&row.text);
        }
    }
    what_happens(&mut page, scenario);
    page.heading("Kontroller / Checks");
    for judged in &scenario.checks {
        let step = judged
            .check
            .step()
            .map(|step| format!(" · {step}"))
            .unwrap_or_default();
        page.item("  ", &format!("{}{step}", judged.check.name()));
        page.labelled("Ventet", "Expected", &expectation(&judged.check));
        page.labelled("Feil betyr", "Failure", &judged.fail);
        page.labelled("Rett opp", "Mend", &judged.mend);
    }
    proof(&mut page, scenario);
    page.0
}

fn what_happens(page: &mut Page, scenario: &Scenario) {
    page.heading("Hva som skjer / What happens");
    if let Some(leader) = &scenario.follows {
        page.item("  ", &format!("Etter stegene i {leader}, i samme kjøring. / After the steps of {leader}, in the same execution."));
    }
    if scenario.baseline {
        page.item("  ", "Først: en kommunikasjonstest som må gå bra (baseline). / First: a communication test that has to succeed (baseline).");
    }
    if scenario.cache == Cache::Cold {
        page.item("  ", "helsenorge får nye sertifikater, så ingenting er mellomlagret. / helsenorge gets new certificates, so that nothing is cached.");
    }
    for given in &scenario.given {
        page.item("  + ", &describe::given(given).nb);
        page.item("    ", &describe::given(given).en);
    }
    for variant in &scenario.variants {
        let ordinary = if variant.ordinary {
            ""
        } else {
            " (bare når alle varianter kjøres / only when all variants are run)"
        };
        page.item("  ", &format!("Variant {}{ordinary}", variant.name));
        for given in &variant.given {
            page.item("  + ", &describe::given(given).nb);
            page.item("    ", &describe::given(given).en);
        }
    }
    for (step, number) in scenario.steps.iter().zip(1..) {
        let after = step
            .after
            .as_ref()
            .map(|after| format!(", {}", describe::after(after)))
            .unwrap_or_default();
        page.item("  ", &format!("{number}. {}{after}", step.name));
        page.both(&describe::act(&step.act));
    }
    if let Some(recovery) = scenario.recovery {
        let within = describe::length(recovery.within);
        page.item("  ", &format!("Til slutt: alt settes i stand, og en ny kommunikasjonstest må gå bra innen {within}. / Last: everything is put right, and another communication test has to succeed within {within}."));
    }
    if scenario.needs_driver() {
        page.item("  ", "Trenger en driver (--sut-verbs eller --sut http). / Needs a driver (--sut-verbs or --sut http).");
    }
}

fn proof(page: &mut Page, scenario: &Scenario) {
    page.heading("Bevist med / Proven with (--sut-fault)");
    for name in &scenario.killed_by {
        page.item("  ", name);
        if let Some(told) = words::seeded_fault(name) {
            page.both(&told);
        }
    }
}

struct Page(String);

impl Page {
    fn line(&mut self, line: &str) {
        self.0.push_str(line.trim_end());
        self.0.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.line("");
        self.line(heading);
    }

    /// A text whose further lines stand below its first word.
    fn item(&mut self, lead: &str, text: &str) {
        let indent = " ".repeat(lead.chars().count());
        for (count, line) in wrapped(text, WIDTH - indent.len()).iter().enumerate() {
            let lead = if count == 0 { lead } else { &indent };
            self.line(&format!("{lead}{line}"));
        }
    }

    fn both(&mut self, text: &crate::Text) {
        self.item("     nb  ", &text.nb);
        self.item("     en  ", &text.en);
    }

    fn labelled(&mut self, nb: &str, en: &str, text: &crate::Text) {
        self.item(&format!("     {nb:11}"), &text.nb);
        self.item(&format!("     {en:11}"), &text.en);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explanation_tells_all_that_the_file_tells() {
        let catalogue = Catalogue::embedded().unwrap();
        for scenario in &catalogue.scenarios {
            let text = explain(scenario, &catalogue);
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let flat_of = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(&flat_of(&scenario.why.nb)), "{text}");
            for judged in &scenario.checks {
                for part in [&judged.fail, &judged.mend, &expectation(&judged.check)] {
                    assert!(flat.contains(&flat_of(&part.nb)), "{text}");
                    assert!(flat.contains(&flat_of(&part.en)), "{text}");
                }
            }
            for name in scenario.covers.iter().chain(&scenario.killed_by) {
                assert!(text.contains(name.as_str()), "{text}");
            }
            assert!(
                text.lines().all(|line| line.chars().count() <= WIDTH),
                "{text}"
            );
        }
    }

    #[test]
    fn an_alias_explains_all_that_it_names() {
        let catalogue = Catalogue::embedded().unwrap();
        let chosen = catalogue.find("revocation-slow").unwrap();
        let text = scenarios(&chosen, &catalogue);
        for scenario in &chosen {
            assert!(text.contains(&format!("{} ", scenario.id)), "{text}");
        }
    }
}
