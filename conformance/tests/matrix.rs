//! The matrix: every scenario is green for the correct reference EPJ and red for each seeded fault that it names, each cell
//! with a network and a reference EPJ of its own.
//!
//! A cell that is red for another reason than the one below is a failure of this test, too.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

use conformance::scenario::Catalogue;
use conformance::verdict::Verdict;

/// Cells at once: they wait most of the time.
const AT_ONCE: usize = 8;

/// One run of one scenario.
#[derive(Clone, Debug)]
struct Cell {
    scenario: String,
    fault: Option<String>,
}

#[test]
fn every_scenario_is_green_when_all_is_well_and_red_for_each_fault_that_it_names() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut cells: Vec<Cell> = Vec::new();
    for scenario in &catalogue.scenarios {
        let faults = scenario.killed_by.iter().cloned().map(Some);
        cells.extend(faults.chain([None]).map(|fault| Cell {
            scenario: scenario.id.clone(),
            fault,
        }));
    }
    // The long ones first, so that the end is not one cell alone.
    let long = ["BUS-01", "ERQ-04", "SYN-01", "CRT-08", "REV-05", "REV-06"];
    cells.sort_by_key(|cell| !long.contains(&cell.scenario.as_str()));
    cells.reverse();
    // One cell alone at first: it makes the keys that all others then find in the data folder.
    let first = judged(&Cell {
        scenario: "COM-02".into(),
        fault: None,
    });
    first.unwrap_or_else(|reason| panic!("{reason}"));
    let waiting = Mutex::new(cells);
    let wrong: Mutex<Vec<String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(cell) = next(&waiting) {
                    if let Err(reason) = judged(&cell) {
                        wrong.lock().unwrap().push(reason);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn next(waiting: &Mutex<Vec<Cell>>) -> Option<Cell> {
    waiting.lock().unwrap().pop()
}

fn judged(cell: &Cell) -> Result<(), String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "tells the reader how long a cell took"
    )]
    let started = Instant::now();
    let mut words = vec!["scenario", cell.scenario.as_str()];
    if let Some(fault) = &cell.fault {
        words.extend(["--sut-fault", fault.as_str()]);
    }
    let ran = support::run(&words);
    let result = ran.result();
    let verdicts: BTreeMap<String, (Verdict, String)> = result
        .scenarios
        .iter()
        .map(|scenario| {
            let reason = scenario.reason_code.clone();
            (scenario.label(), (scenario.verdict, reason))
        })
        .collect();
    println!("{cell:?} {verdicts:?} {:?}", started.elapsed());
    let mut of_cell = result
        .scenarios
        .iter()
        .filter(|scenario| scenario.id == cell.scenario)
        .peekable();
    let right = of_cell.peek().is_some()
        && match &cell.fault {
            None => of_cell.all(|scenario| scenario.verdict == Verdict::Pass) && ran.code() == 0,
            Some(_) => {
                of_cell.any(|scenario| scenario.verdict == Verdict::Fail) && ran.code() == 10
            }
        };
    if right {
        Ok(())
    } else {
        Err(format!("{cell:?}: exit {}\n{}", ran.code(), ran.said()))
    }
}
