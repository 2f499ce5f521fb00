//! Profiles (`scenarios/profiles/*.toml`): named sets of scenarios.

use super::problem::Problem;
use super::read::Source;
use crate::Text;

/// A named set of scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name on the command line.
    pub name: String,
    /// Title.
    pub title: Text,
    /// Ids, in the order in which they run.
    pub scenarios: Vec<String>,
    /// Whether variants run that do not belong to an ordinary run.
    pub all_variants: bool,
}

/// Reads a profile; `ids` are the scenarios that exist.
pub(crate) fn parse(path: &str, text: &str, ids: &[&str]) -> Result<Profile, Vec<Problem>> {
    Source::read(path, text, |root| {
        let (name, title) = (root.string("name"), root.text("title"));
        let all_variants = root.optional_boolean("all-variants", false);
        let words = root.words("scenarios");
        if words.is_empty() {
            root.problem("`scenarios` must name at least one scenario");
        }
        for word in words
            .iter()
            .filter(|word| !ids.contains(&word.text.as_str()))
        {
            root.unknown("scenario ", word, ids);
        }
        root.finish();
        let scenarios = words.into_iter().map(|word| word.text).collect();
        Some(Profile {
            name: name?,
            title: title?,
            scenarios,
            all_variants,
        })
    })
}
