//! From a scenario file to a [`Scenario`].

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::problem::Problem;
use super::read::{Source, Table, Word};
use super::{
    BASELINE_STEP, Cache, Level, Limits, RECOVERY_STEP, Recovery, Role, Scenario, Variant, registry,
};

/// Names that files refer to and that are defined elsewhere.
pub(crate) struct Names<'a> {
    /// Ids of the requirement table.
    pub(crate) requirements: &'a [&'a str],
    /// Seeded faults of the reference EPJ.
    pub(crate) faults: &'a [&'a str],
}

const LEVELS: [(&str, Level); 3] = [
    ("must", Level::Must),
    ("should", Level::Should),
    ("may", Level::May),
];
const ROLES: [(&str, Role); 3] = [
    ("responder", Role::Responder),
    ("initiator", Role::Initiator),
    ("both", Role::Both),
];
const CACHES: [(&str, Cache); 2] = [("cold", Cache::Cold), ("warm", Cache::Warm)];

/// Longest time that one execution may take where the file does not say.
const RUNTIME: Duration = Duration::from_secs(300);
/// The recovery limit where the file does not say (contract 03 section 7).
const RECOVERY: Duration = Duration::from_secs(30);

/// Reads one scenario file.
pub(crate) fn parse(path: &str, text: &str, names: &Names<'_>) -> Result<Scenario, Vec<Problem>> {
    let mut scenario = Source::read(path, text, |root| read(root, names))?;
    text.clone_into(&mut scenario.source);
    path.clone_into(&mut scenario.path);
    scenario.sha256 = Sha256::digest(text)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
    Ok(scenario)
}

fn read(root: Table<'_>, names: &Names<'_>) -> Option<Scenario> {
    let id = root.word("id");
    if let Some(id) = id.as_ref().filter(|id| !is_id(&id.text)) {
        root.problem_at(
            &id.span,
            format!(
                "`{}` is no scenario id: three letters, a hyphen and two digits, as in `REV-05`",
                id.text
            ),
        );
    }
    let aliases = root.words("aliases");
    for alias in aliases.iter().filter(|alias| !is_kebab(&alias.text)) {
        root.problem_at(
            &alias.span,
            format!(
                "`{}` is no alias: lower-case letters, digits and hyphens",
                alias.text
            ),
        );
    }
    let (title, why) = (root.text("title"), root.text("why"));
    let (level, role) = (root.choice("level", &LEVELS), root.choice("role", &ROLES));
    let covers = known(&root, "covers", "requirement ", names.requirements);
    let baseline = root.optional_boolean("baseline", true);
    let cache = root.optional_choice("cache", &CACHES, Cache::Cold);
    let recovery = recovery(&root);
    let follows = root.optional_word("follows");
    let variants = variants(&root);
    let given = root
        .tables("given")
        .into_iter()
        .filter_map(registry::given)
        .collect();
    let steps: Vec<_> = root
        .tables("when")
        .into_iter()
        .filter_map(registry::step)
        .collect();
    check_steps(&root, &steps);
    let checks = root
        .tables("then")
        .into_iter()
        .filter_map(|then| registry::judged(then, &steps))
        .collect::<Vec<_>>();
    if checks.is_empty() {
        root.problem("the file has no `[[then]]`: a scenario that judges nothing cannot fail");
    }
    let limits = limits(&root);
    let killed_by = root.table("proof").map(|proof| {
        let faults = known(&proof, "killed-by", "seeded fault ", names.faults);
        proof.finish();
        faults
    });
    root.finish();
    Some(Scenario {
        id: id?.text,
        aliases: aliases.into_iter().map(|word| word.text).collect(),
        title: title?,
        why: why?,
        level: level?,
        covers,
        role: role?,
        baseline,
        cache: cache?,
        recovery,
        follows: follows.map(|word| word.text),
        variants,
        given,
        steps,
        checks,
        limits,
        killed_by: killed_by?,
        sha256: String::new(),
        source: String::new(),
        path: String::new(),
    })
}

/// A list of names that must not be empty and must all be known.
fn known(table: &Table<'_>, key: &'static str, what: &str, valid: &[&str]) -> Vec<String> {
    let words: Vec<Word> = table.words(key);
    if words.is_empty() {
        table.problem(format!(
            "`{key}` must name at least one {}",
            what.trim_end()
        ));
    }
    for word in words
        .iter()
        .filter(|word| !valid.contains(&word.text.as_str()))
    {
        table.unknown(what, word, valid);
    }
    words.into_iter().map(|word| word.text).collect()
}

fn recovery(root: &Table<'_>) -> Option<Recovery> {
    let Some(table) = root.optional_table("recovery") else {
        return Some(Recovery { within: RECOVERY });
    };
    let none = table.optional_boolean("none", false);
    let within = table.optional_duration("within").unwrap_or(RECOVERY);
    table.finish();
    (!none).then_some(Recovery { within })
}

fn variants(root: &Table<'_>) -> Vec<Variant> {
    let mut seen = BTreeSet::new();
    let read = root.tables("variant").into_iter().filter_map(|table| {
        let name = table.word("name");
        let ordinary = table.optional_boolean("ordinary", true);
        let given = table
            .tables("given")
            .into_iter()
            .filter_map(registry::given)
            .collect();
        let name = name?;
        if !is_kebab(&name.text) || !seen.insert(name.text.clone()) {
            let message = format!(
                "variant `{}`: the name must be unique, of lower-case letters, digits and hyphens",
                name.text
            );
            table.problem_at(&name.span, message);
        }
        table.finish();
        Some(Variant {
            name: name.text,
            ordinary,
            given,
        })
    });
    read.collect()
}

fn limits(root: &Table<'_>) -> Limits {
    let Some(table) = root.optional_table("limits") else {
        return Limits {
            watch: Duration::ZERO,
            runtime: RUNTIME,
        };
    };
    let limits = Limits {
        watch: table.optional_duration("watch").unwrap_or_default(),
        runtime: table.optional_duration("runtime").unwrap_or(RUNTIME),
    };
    table.finish();
    limits
}

fn check_steps(root: &Table<'_>, steps: &[super::Step]) {
    if steps.is_empty() {
        root.problem("the file has no `[[when]]`: nothing would be done");
    }
    let mut seen = BTreeSet::from([BASELINE_STEP, RECOVERY_STEP]);
    for step in steps {
        if !seen.insert(&step.name) {
            root.problem(format!("the step name `{}` is used twice or reserved (`{BASELINE_STEP}`, `{RECOVERY_STEP}`)", step.name));
        }
    }
}

fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 6
        && bytes[..3].iter().all(u8::is_ascii_uppercase)
        && bytes[3] == b'-'
        && bytes[4..].iter().all(u8::is_ascii_digit)
}

/// Lower-case letters, digits, hyphens and points, not empty.
fn is_kebab(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte))
}
