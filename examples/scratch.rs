use compose::diagnostics::*;
use compose::spec::*;
use std::fs;
use std::path::Path;
use std::time::SystemTime;
struct L;
impl interpolate::Lookup for L {
    fn get(&self, n: &str) -> Option<(String, tree::VariableSource)> {
        n.starts_with('A').then(|| ("v".into(), tree::VariableSource::Shell))
    }
}
fn go(bytes: &[u8]) -> Option<bool> {
    let text = yaml::decode_text(bytes).ok()?;
    let mut s = SourceMap::default();
    let f = s.add("c", None, text.as_str());
    match yaml::parse(&text, f) {
        Ok(mut d) => {
            for n in &mut d {
                let mut u = vec![];
                let e = interpolate::interpolate(n, &L, &s, &mut u);
                render_text(&e, &s, false, 80);
                let y = emit::node_to_yaml(n);
                std::hint::black_box(y);
            }
            Some(true)
        }
        Err(e) => {
            render_text(&e, &s, true, 80);
            Some(false)
        }
    }
}
fn walk(p: &Path, out: &mut Vec<std::path::PathBuf>) {
    for e in fs::read_dir(p).unwrap() {
        let p = e.unwrap().path();
        if p.is_dir() {
            walk(&p, out)
        } else if p.extension().is_some_and(|x| x == "yml" || x == "yaml") {
            out.push(p)
        }
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    match a[1].as_str() {
        "corpus" => {
            let mut v = vec![];
            walk(Path::new("/work/shared/corpus"), &mut v);
            let t = SystemTime::now();
            let mut bytes = 0;
            let (mut ok, mut bad) = (0, vec![]);
            for p in &v {
                let b = fs::read(p).unwrap();
                bytes += b.len();
                match go(&b) {
                    Some(true) => ok += 1,
                    _ => bad.push(p.clone()),
                }
            }
            println!("{} files {} bytes {:?} ok {} ", v.len(), bytes, t.elapsed().unwrap(), ok);
            for p in bad {
                println!("{}", p.display());
                let text = String::from_utf8_lossy(&fs::read(&p).unwrap()).into_owned();
                let mut s = SourceMap::default();
                let f = s.add("c", None, text.as_str());
                if let Err(e) = yaml::parse(&text, f) {
                    println!("{}", render_text(&e[..1], &s, false, 100));
                }
            }
        }
        "mutate" => {
            let mut seed = 0x9E3779B97F4A7C15u64 ^ a.get(2).map_or(1, |x| x.parse().unwrap());
            let mut r = move || {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                seed as usize
            };
            let mut v = vec![];
            walk(Path::new("/work/shared/torture/yaml"), &mut v);
            let base: Vec<Vec<u8>> = v.iter().map(|p| fs::read(p).unwrap()).filter(|b| b.len() < 4000).collect();
            let mut n = 0;
            for _ in 0..300_000 {
                let mut b = base[r() % base.len()].clone();
                let o = &base[r() % base.len()];
                for _ in 0..1 + r() % 4 {
                    if b.is_empty() {
                        break;
                    }
                    let i = r() % b.len();
                    match r() % 6 {
                        0 => {
                            b.remove(i);
                        }
                        1 => {
                            b.truncate(i);
                        }
                        2 => {
                            let c = b"\t \n:-?[]{}&*!|>'\"%@`#,\\\r\xc2\x85"[r() % 25];
                            b.insert(i, c);
                        }
                        3 => {
                            let j = (i + r() % 20).min(b.len());
                            let part = b[i..j].to_vec();
                            let k = r() % b.len();
                            b.splice(k..k, part);
                        }
                        4 => {
                            if !o.is_empty() {
                                let i2 = r() % o.len();
                                let j = (i2 + r() % 40).min(o.len());
                                b.splice(i..i, o[i2..j].iter().copied());
                            }
                        }
                        _ => {
                            b[i] = (r() % 256) as u8;
                        }
                    }
                }
                if go(&b).is_some() {
                    n += 1
                }
            }
            println!("{n} parsed or refused");
        }
        _ => {
            let b = fs::read(&a[1]).unwrap();
            let t = SystemTime::now();
            println!("{:?} {:?}", go(&b), t.elapsed());
            if let Ok(text) = yaml::decode_text(&b) {
                let mut s = SourceMap::default();
                let f = s.add("c", None, text.as_str());
                let t = SystemTime::now();
                let r = yaml::parse(&text, f);
                println!("parse {:?}", t.elapsed());
                if let Err(e) = r {
                    let out = render_text(&e, &s, false, 100);
                    println!("{}", &out[..out.len().min(1500)]);
                }
            }
        }
    }
}
