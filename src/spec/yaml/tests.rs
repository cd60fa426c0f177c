//! What the YAML layer promises, case by case.
