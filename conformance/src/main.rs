//! `provenett`: the one program of this project. Everything it does lies in the library beside it.

fn main() -> std::process::ExitCode {
    conformance::cli::main()
}
