//! The files of `/scenarios`, built into the program. A test proves that the lists name every file.

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$((concat!("scenarios/", $name), include_str!(concat!("../../../scenarios/", $name)))),+]
    };
}

/// The requirement table.
pub(super) const REQUIREMENTS: (&str, &str) = (
    "scenarios/requirements.toml",
    include_str!("../../../scenarios/requirements.toml"),
);

/// Path and text of every scenario.
pub(super) const SCENARIOS: &[(&str, &str)] = files![
    "ARG-03.toml",
    "BUS-01.toml",
    "COM-01.toml",
    "COM-02.toml",
    "COM-03.toml",
    "COM-05.toml",
    "COM-18.toml",
    "CRT-01.toml",
    "CRT-05.toml",
    "CRT-08.toml",
    "ERQ-04.toml",
    "REV-01.toml",
    "REV-02.toml",
    "REV-05.toml",
    "REV-06.toml",
    "REV-09.toml",
    "REV-10.toml",
    "SYN-01.toml",
    "SYN-03.toml",
    "XML-01.toml",
    "XML-05.toml",
];

/// Path and text of every profile.
pub(super) const PROFILES: &[(&str, &str)] = files![
    "profiles/full.toml",
    "profiles/smoke.toml",
    "profiles/wire.toml"
];

#[cfg(test)]
mod tests {
    use super::*;

    fn on_disk(folder: &str) -> Vec<String> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut names: Vec<String> = std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".toml") && name != "requirements.toml")
            .map(|name| format!("{folder}/{name}"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn every_file_is_built_in() {
        let listed = |files: &[(&str, &str)]| {
            files
                .iter()
                .map(|(path, _)| (*path).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(listed(SCENARIOS), on_disk("scenarios"));
        assert_eq!(listed(PROFILES), on_disk("scenarios/profiles"));
    }
}
