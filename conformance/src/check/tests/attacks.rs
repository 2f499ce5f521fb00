//! Broken systems that try to look well. None of them may pass.
