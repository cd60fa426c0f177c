//! docker compose's order of keys in YAML: numbers inside of names count as numbers, `a9` before `a10`.

/// Sorts in place, stably. By hand because the order is not a total one, which the standard sort may answer with a
/// panic.
pub fn sort_naturally<T>(items: &mut Vec<T>, key: impl Fn(&T) -> &str) {
    let mut runs: Vec<Vec<T>> = items.drain(..).map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            merged.push(match pairs.next() {
                Some(right) => merge(left, right, &key),
                None => left,
            });
        }
        runs = merged;
    }
    items.extend(runs.pop().unwrap_or_default());
}

fn merge<T>(left: Vec<T>, right: Vec<T>, key: &impl Fn(&T) -> &str) -> Vec<T> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    loop {
        let next = match (left.peek(), right.peek()) {
            (Some(a), Some(b)) if less(key(b), key(a)) => right.next(),
            (Some(_), _) => left.next(),
            (None, _) => right.next(),
        };
        match next {
            Some(item) => merged.push(item),
            None => return merged,
        }
    }
}

/// Whether `a` goes before `b`, the way yaml.v3 has it.
fn less(a: &str, b: &str) -> bool {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len() < b.len() };
    let (here, there) = match (a.get(at), b.get(at)) {
        (Some(here), Some(there)) => (*here, *there),
        _ => return false,
    };
    let after_digit = at.checked_sub(1).and_then(|before| a.get(before)).is_some_and(char::is_ascii_digit);
    match (here.is_alphabetic(), there.is_alphabetic()) {
        (true, true) => return here < there,
        // A letter ends a number; elsewhere letters go behind all else.
        (letter, false) | (false, letter) if letter => {
            let here_is_letter = here.is_alphabetic();
            return if after_digit { here_is_letter } else { !here_is_letter };
        }
        _ => {}
    }
    // Zeros in front count only when the number has begun before them.
    let begun = (here == '0' || there == '0')
        && a.iter().take(at).rev().take_while(|it| it.is_ascii_digit()).any(|digit| *digit != '0');
    let number = |text: &[char]| {
        let digits = text.iter().skip(at).take_while(|it| it.is_ascii_digit());
        digits.fold((i64::from(begun), 0_usize), |(sum, length), digit| {
            let digit = i64::from(digit.to_digit(10).unwrap_or(0));
            (sum.wrapping_mul(10).wrapping_add(digit), length + 1)
        })
    };
    let (ours, theirs) = (number(&a), number(&b));
    if ours == theirs { here < there } else { ours < theirs }
}
