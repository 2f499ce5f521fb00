//! All scenarios, profiles and requirements, built in or from a folder, and the choice among them.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::parse::{Names, parse};
use super::problem::{Problem, Problems, nearest, suggestion};
use super::{Execution, Profile, Scenario, embedded, plan, profile};
use crate::requirement::{self, Requirement};

/// Longest file that is read, in bytes.
const FILE_LIMIT: u64 = 1024 * 1024;

/// All scenarios, profiles and requirements.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// Scenarios by id.
    pub scenarios: Vec<Arc<Scenario>>,
    /// Profiles by name.
    pub profiles: Vec<Profile>,
    /// Requirements in the order of their file.
    pub requirements: Vec<Requirement>,
}

/// The catalogue has no such scenario or profile; the process ends with exit code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no {kind} `{name}`{}. `provenett list {kind}s` shows them all",
    nearest.as_ref().map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default()
)]
pub struct SelectError {
    /// `scenario` or `profile`.
    pub kind: &'static str,
    /// As given.
    pub name: String,
    /// The nearest valid name.
    pub nearest: Option<String>,
}

impl Catalogue {
    /// The catalogue that is built into the program.
    ///
    /// # Errors
    /// [`Problems`] when a file is invalid; a test proves that none is.
    pub fn embedded() -> Result<Self, Problems> {
        let owned = |files: &[(&str, &str)]| {
            files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect::<Vec<_>>()
        };
        let (path, text) = embedded::REQUIREMENTS;
        Self::read(
            (path, text),
            &owned(embedded::SCENARIOS),
            &owned(embedded::PROFILES),
        )
    }

    /// The catalogue of a folder: `*.toml`, `profiles/*.toml` and `requirements.toml`. The requirement table that is built
    /// in is used where the folder has none.
    ///
    /// # Errors
    /// [`Problems`] when a file cannot be read or is invalid, or when the folder holds no scenario.
    pub fn load(folder: &Path) -> Result<Self, Problems> {
        let mut scenarios = files(folder)?;
        let profiles = folder.join("profiles");
        let profiles = if profiles.is_dir() {
            files(&profiles)?
        } else {
            Vec::new()
        };
        let table = scenarios
            .iter()
            .position(|(path, _)| {
                Path::new(path)
                    .file_name()
                    .is_some_and(|name| name == "requirements.toml")
            })
            .map(|index| scenarios.remove(index));
        if scenarios.is_empty() {
            return Err(unreadable(
                folder,
                "the folder holds no scenario file (*.toml)",
            ));
        }
        let (path, text) = table
            .as_ref()
            .map_or(embedded::REQUIREMENTS, |(path, text)| (path, text));
        Self::read((path, text), &scenarios, &profiles)
    }

    fn read(
        table: (&str, &str),
        scenarios: &[(String, String)],
        profiles: &[(String, String)],
    ) -> Result<Self, Problems> {
        let requirements = requirement::parse(table.0, table.1).map_err(Problems)?;
        let ids: Vec<&str> = requirements.iter().map(|row| row.id.as_str()).collect();
        let faults: Vec<&str> = reference_epj::Fault::all()
            .map(reference_epj::Fault::name)
            .collect();
        let names = Names {
            requirements: &ids,
            faults: &faults,
        };
        let mut problems = Vec::new();
        let mut read = Vec::new();
        for (path, text) in scenarios {
            match parse(path, text, &names) {
                Ok(scenario) => read.push(Arc::new(scenario)),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() {
            problems.extend(across(&read));
        }
        let known: Vec<&str> = read.iter().map(|scenario| scenario.id.as_str()).collect();
        let mut sets = Vec::new();
        if problems.is_empty() {
            for (path, text) in profiles {
                match profile::parse(path, text, &known) {
                    Ok(profile) => sets.push(profile),
                    Err(found) => problems.extend(found),
                }
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        inherit(&mut read);
        read.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Self {
            scenarios: read,
            profiles: sets,
            requirements,
        })
    }

    /// The scenario of this id, in any case.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<&Arc<Scenario>> {
        self.scenarios
            .iter()
            .find(|scenario| scenario.id.eq_ignore_ascii_case(id))
    }

    /// The scenarios of an id or alias.
    ///
    /// # Errors
    /// [`SelectError`] with the nearest name.
    pub fn find(&self, name: &str) -> Result<Vec<Arc<Scenario>>, SelectError> {
        let fits = |scenario: &&Arc<Scenario>| {
            scenario.id.eq_ignore_ascii_case(name)
                || scenario.aliases.iter().any(|alias| alias == name)
        };
        let found: Vec<_> = self.scenarios.iter().filter(fits).cloned().collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let names = self.scenarios.iter().flat_map(|scenario| {
            std::iter::once(scenario.id.as_str()).chain(scenario.aliases.iter().map(String::as_str))
        });
        Err(SelectError {
            kind: "scenario",
            name: name.to_owned(),
            nearest: nearest(name, names).map(str::to_owned),
        })
    }

    /// What has to be run for these ids and aliases: each scenario once, in the order given, with its ordinary variants.
    ///
    /// # Errors
    /// [`SelectError`] with the nearest name.
    pub fn select(&self, names: &[String]) -> Result<Vec<Execution>, SelectError> {
        let mut chosen: Vec<Arc<Scenario>> = Vec::new();
        for name in names {
            for scenario in self.find(name)? {
                if !chosen.iter().any(|each| each.id == scenario.id) {
                    chosen.push(scenario);
                }
            }
        }
        Ok(plan::executions(self, &chosen, false))
    }

    /// What has to be run for a profile.
    ///
    /// # Errors
    /// [`SelectError`] with the nearest name.
    pub fn select_profile(&self, name: &str) -> Result<Vec<Execution>, SelectError> {
        let Some(profile) = self.profiles.iter().find(|profile| profile.name == name) else {
            let names = self.profiles.iter().map(|profile| profile.name.as_str());
            return Err(SelectError {
                kind: "profile",
                name: name.to_owned(),
                nearest: nearest(name, names).map(str::to_owned),
            });
        };
        let chosen: Vec<_> = profile
            .scenarios
            .iter()
            .filter_map(|id| self.scenario(id).cloned())
            .collect();
        Ok(plan::executions(self, &chosen, profile.all_variants))
    }
}

/// A scenario that follows another one is judged under the faults of that one.
fn inherit(scenarios: &mut [Arc<Scenario>]) {
    for index in 0..scenarios.len() {
        let Some(follows) = scenarios[index].follows.clone() else {
            continue;
        };
        let Some(leader) = scenarios
            .iter()
            .find(|other| other.id == follows)
            .map(Arc::clone)
        else {
            continue;
        };
        let follower = Arc::make_mut(&mut scenarios[index]);
        follower.variants.clone_from(&leader.variants);
        follower.given.clone_from(&leader.given);
    }
}

/// What a single file cannot know: ids and aliases of others, and the scenario that is followed.
fn across(scenarios: &[Arc<Scenario>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let ids: Vec<&str> = scenarios
        .iter()
        .map(|scenario| scenario.id.as_str())
        .collect();
    for (index, scenario) in scenarios.iter().enumerate() {
        let mut wrong = |key: &str, message: String| {
            let start = scenario.source.lines().scan(0, |at, line| {
                let start = *at;
                *at += line.len() + 1;
                Some((start, line))
            });
            let place = start
                .into_iter()
                .find(|(_, line)| line.starts_with(key))
                .map_or(0, |(start, _)| start);
            problems.push(Problem::at(
                &scenario.path,
                &scenario.source,
                &(place..place),
                message,
            ));
        };
        if ids[..index].contains(&scenario.id.as_str()) {
            wrong(
                "id",
                format!("the id `{}` is used by another file", scenario.id),
            );
        }
        if let Some(alias) = scenario
            .aliases
            .iter()
            .find(|alias| ids.iter().any(|id| id.eq_ignore_ascii_case(alias)))
        {
            wrong(
                "aliases",
                format!("the alias `{alias}` is the id of a scenario"),
            );
        }
        let Some(follows) = &scenario.follows else {
            continue;
        };
        match scenarios.iter().find(|other| other.id == *follows) {
            None => {
                let near = suggestion(follows, ids.iter().copied());
                wrong("follows", format!("unknown scenario `{follows}`{near}"));
            }
            Some(leader) if leader.follows.is_some() || leader.id == scenario.id => {
                wrong(
                    "follows",
                    format!("`{follows}` follows another scenario itself"),
                );
            }
            Some(leader) => {
                if let Some(step) = scenario
                    .steps
                    .iter()
                    .find(|step| leader.step(&step.name).is_some())
                {
                    wrong(
                        "follows",
                        format!("the step `{}` is already one of `{follows}`", step.name),
                    );
                }
                if !scenario.variants.is_empty() || !scenario.given.is_empty() {
                    wrong(
                        "follows",
                        format!(
                            "variants and faults are those of `{follows}`; this file must have none"
                        ),
                    );
                }
            }
        }
    }
    problems
}

fn files(folder: &Path) -> Result<Vec<(String, String)>, Problems> {
    let listed =
        std::fs::read_dir(folder).map_err(|error| unreadable(folder, &error.to_string()))?;
    let mut paths: Vec<_> = listed
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| text_of(path).map(|text| (path.display().to_string(), text)))
        .collect()
}

/// The text of a file of bounded length.
pub(crate) fn text_of(path: &Path) -> Result<String, Problems> {
    let mut text = String::new();
    // Opening a pipe would wait for a writer that may never come.
    let kind = std::fs::metadata(path).map_err(|error| unreadable(path, &error.to_string()))?;
    if !kind.is_file() {
        return Err(unreadable(path, "this is not a regular file"));
    }
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    file.take(FILE_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(path, &error.to_string()))?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(unreadable(path, "the file is larger than 1 MiB"));
    }
    Ok(text)
}

fn unreadable(path: &Path, reason: &str) -> Problems {
    Problems(vec![Problem {
        path: path.display().to_string(),
        line: 1,
        column: 1,
        message: reason.to_owned(),
    }])
}
