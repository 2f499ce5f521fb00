//! `list`: scenarios, profiles, requirements and seeded faults, as a table or as one JSON document.
//!
//! The JSON is a public contract, described in `docs/report-format.md`: fields are only ever added.

use serde::Serialize;

use super::options::Listed;
use crate::Text;
use crate::report::text::wrapped;
use crate::report::words;
use crate::requirement::{Basis, Coverage};
use crate::scenario::{Catalogue, Level, Role};

/// Version of the JSON documents.
pub const FORMAT: u32 = 1;
const WIDTH: usize = 110;

/// What `list` prints.
#[must_use]
pub fn listing(catalogue: &Catalogue, what: Listed, json: bool) -> String {
    match what {
        Listed::Scenarios => scenarios(catalogue, json),
        Listed::Profiles => profiles(catalogue, json),
        Listed::Requirements => requirements(catalogue, json),
        Listed::Faults => faults(catalogue, json),
    }
}

#[derive(Serialize)]
struct ScenarioRow<'a> {
    id: &'a str,
    aliases: &'a [String],
    title: &'a Text,
    level: Level,
    role: Role,
    covers: &'a [String],
    follows: Option<&'a str>,
    variants: Vec<VariantRow<'a>>,
    needs_driver: bool,
    killed_by: &'a [String],
    sha256: &'a str,
}

#[derive(Serialize)]
struct VariantRow<'a> {
    name: &'a str,
    ordinary: bool,
}

/// The scenarios.
#[must_use]
pub fn scenarios(catalogue: &Catalogue, json: bool) -> String {
    let rows = catalogue.scenarios.iter().map(|scenario| ScenarioRow {
        id: &scenario.id,
        aliases: &scenario.aliases,
        title: &scenario.title,
        level: scenario.level,
        role: scenario.role,
        covers: &scenario.covers,
        follows: scenario.follows.as_deref(),
        variants: scenario
            .variants
            .iter()
            .map(|variant| VariantRow {
                name: &variant.name,
                ordinary: variant.ordinary,
            })
            .collect(),
        needs_driver: scenario.needs_driver(),
        killed_by: &scenario.killed_by,
        sha256: &scenario.sha256,
    });
    if json {
        return document("scenarios", rows.collect());
    }
    let mut table = vec![
        ["ID", "NIVÅ/LEVEL", "DRIVER", "ALIAS", "TITTEL/TITLE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    table.extend(rows.map(|row| {
        vec![
            row.id.to_owned(),
            words::level_name(row.level).to_owned(),
            if row.needs_driver { "x" } else { "" }.to_owned(),
            row.aliases.join(", "),
            row.title.to_string(),
        ]
    }));
    columns(&table)
}

#[derive(Serialize)]
struct ProfileRow<'a> {
    name: &'a str,
    title: &'a Text,
    all_variants: bool,
    scenarios: &'a [String],
}

/// The profiles.
#[must_use]
pub fn profiles(catalogue: &Catalogue, json: bool) -> String {
    let rows: Vec<ProfileRow<'_>> = catalogue
        .profiles
        .iter()
        .map(|profile| ProfileRow {
            name: &profile.name,
            title: &profile.title,
            all_variants: profile.all_variants,
            scenarios: &profile.scenarios,
        })
        .collect();
    if json {
        return document("profiles", rows);
    }
    rows.iter().fold(String::new(), |text, row| {
        let names = indented(&row.scenarios.join(", "));
        text + &format!("{:8} {}\n{names}", row.name, row.title)
    })
}

#[derive(Serialize)]
struct RequirementRow<'a> {
    id: &'a str,
    basis: Basis,
    coverage: Coverage,
    text: &'a Text,
    scenarios: Vec<&'a str>,
}

/// The requirements, each with the scenarios that cover it.
#[must_use]
pub fn requirements(catalogue: &Catalogue, json: bool) -> String {
    let rows: Vec<RequirementRow<'_>> = catalogue
        .requirements
        .iter()
        .map(|row| RequirementRow {
            id: &row.id,
            basis: row.basis,
            coverage: row.coverage,
            text: &row.text,
            scenarios: covering(catalogue, &row.id),
        })
        .collect();
    if json {
        return document("requirements", rows);
    }
    rows.iter().fold(String::new(), |text, row| {
        let how = if row.scenarios.is_empty() {
            words::coverage(row.coverage).to_string()
        } else {
            row.scenarios.join(", ")
        };
        let source = words::basis(row.basis).en;
        text + &format!("{:12} {how}  ({source})\n", row.id)
            + &indented(&row.text.nb)
            + &indented(&row.text.en)
    })
}

fn covering<'a>(catalogue: &'a Catalogue, requirement: &str) -> Vec<&'a str> {
    catalogue
        .scenarios
        .iter()
        .filter(|scenario| scenario.covers.iter().any(|id| id == requirement))
        .map(|scenario| scenario.id.as_str())
        .collect()
}

#[derive(Serialize)]
struct FaultRow<'a> {
    name: &'static str,
    text: Text,
    scenarios: Vec<&'a str>,
}

/// The seeded faults of the reference EPJ, each with the scenarios that it must turn red.
#[must_use]
pub fn faults(catalogue: &Catalogue, json: bool) -> String {
    let rows: Vec<FaultRow<'_>> = reference_epj::Fault::all()
        .map(|fault| FaultRow {
            name: fault.name(),
            text: words::seeded_fault(fault.name()).unwrap_or_default(),
            scenarios: killed(catalogue, fault.name()),
        })
        .collect();
    if json {
        return document("faults", rows);
    }
    rows.iter().fold(String::new(), |text, row| {
        text + &format!("{:28} {}\n", row.name, row.scenarios.join(", "))
            + &indented(&row.text.nb)
            + &indented(&row.text.en)
    })
}

/// Ids of the scenarios that a seeded fault must turn red.
pub(super) fn killed<'a>(catalogue: &'a Catalogue, fault: &str) -> Vec<&'a str> {
    catalogue
        .scenarios
        .iter()
        .filter(|scenario| scenario.killed_by.iter().any(|name| name == fault))
        .map(|scenario| scenario.id.as_str())
        .collect()
}

#[derive(Serialize)]
struct Listing<T> {
    format: u32,
    list: &'static str,
    rows: Vec<T>,
}

fn document<T: Serialize>(list: &'static str, rows: Vec<T>) -> String {
    let listing = Listing {
        format: FORMAT,
        list,
        rows,
    };
    let text = serde_json::to_string_pretty(&listing).expect("names and texts are always JSON");
    text + "\n"
}

fn indented(text: &str) -> String {
    wrapped(text, WIDTH - 4)
        .iter()
        .map(|line| format!("    {line}\n"))
        .collect()
}

fn columns(table: &[Vec<String>]) -> String {
    let count = table.iter().map(Vec::len).max().unwrap_or_default();
    let cell = |row: &Vec<String>, column| {
        row.get(column)
            .map_or(0, |cell: &String| cell.chars().count())
    };
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            table
                .iter()
                .map(|row| cell(row, column))
                .max()
                .unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in table {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        Catalogue::embedded().unwrap()
    }

    #[test]
    fn every_list_is_one_versioned_document() {
        let catalogue = catalogue();
        for (what, name, rows) in [
            (Listed::Scenarios, "scenarios", catalogue.scenarios.len()),
            (Listed::Profiles, "profiles", catalogue.profiles.len()),
            (
                Listed::Requirements,
                "requirements",
                catalogue.requirements.len(),
            ),
            (
                Listed::Faults,
                "faults",
                reference_epj::Fault::all().count(),
            ),
        ] {
            let text = listing(&catalogue, what, true);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["format"], 1);
            assert_eq!(value["list"], name);
            assert_eq!(value["rows"].as_array().unwrap().len(), rows);
        }
    }

    #[test]
    fn the_fields_of_a_scenario_are_a_contract() {
        let value: serde_json::Value =
            serde_json::from_str(&scenarios(&catalogue(), true)).unwrap();
        let rows = value["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["id"] == "REV-05").unwrap();
        assert_eq!(row["aliases"][0], "revocation-slow");
        assert_eq!(row["level"], "must");
        assert_eq!(row["role"], "responder");
        assert_eq!(row["variants"][0]["name"], "3s");
        assert_eq!(row["needs_driver"], false);
        assert_eq!(row["killed_by"][0], "crl-timeout-15s");
        assert_eq!(row["sha256"].as_str().unwrap().len(), 64);
    }

    #[test]
    fn the_tables_name_everything() {
        let catalogue = catalogue();
        let text = scenarios(&catalogue, false);
        assert_eq!(text.lines().count(), catalogue.scenarios.len() + 1);
        let text = faults(&catalogue, false);
        assert!(
            text.contains("crl-timeout-15s") && text.contains("REV-05"),
            "{text}"
        );
        let text = requirements(&catalogue, false);
        assert!(
            text.contains("REQ-REV-02") && text.contains("planned, not tested"),
            "{text}"
        );
        assert!(profiles(&catalogue, false).contains("smoke"));
    }

    #[test]
    fn every_field_is_described() {
        let described = include_str!("../../../docs/report-format.md");
        for what in [
            Listed::Scenarios,
            Listed::Profiles,
            Listed::Requirements,
            Listed::Faults,
        ] {
            let text = listing(&catalogue(), what, true);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            for name in value["rows"][0].as_object().unwrap().keys() {
                assert!(described.contains(&format!("`{name}`")), "{name}");
            }
        }
    }
}
