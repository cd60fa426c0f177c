//! `[[IP:][HOST[-HOST2]]:]CONTAINER[-CONTAINER2][/PROTOCOL]`

use std::net::IpAddr;

use crate::spec::tree::{Mapping, Node, Tag, Value};

/// One published port of a short form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShortPort {
    address: String,
    published: String,
    target: u16,
    protocol: String,
}

impl ShortPort {
    /// The long form, at the place of the short one.
    pub(super) fn into_node(self, from: &Node) -> Node {
        let text = |text: String| Node {
            value: Value::String(text),
            tag: Tag::None,
            span: from.span,
            origin: from.origin.clone(),
        };
        let mut long = Mapping::default();
        long.insert("mode", from.span, Node::default_at(Value::String("ingress".to_owned()), from.span));
        if !self.address.is_empty() {
            long.insert("host_ip", from.span, text(self.address));
        }
        let mut target = text(String::new());
        target.value = Value::Int(i128::from(self.target));
        long.insert("target", from.span, target);
        if !self.published.is_empty() {
            long.insert("published", from.span, text(self.published));
        }
        long.insert("protocol", from.span, text(self.protocol));
        let mut node = text(String::new());
        node.value = Value::Mapping(long);
        node
    }
}

/// Reads a short form; ranges become several ports, in the order of the targets' texts.
pub(super) fn parse(spec: &str) -> Result<Vec<ShortPort>, String> {
    let parts: Vec<&str> = spec.split(':').collect();
    let (address, host, container) = match parts.as_slice() {
        [container] => (String::new(), "", *container),
        [host, container] => (String::new(), *host, *container),
        [address @ .., host, container] => (address.join(":"), *host, *container),
        [] => (String::new(), "", ""),
    };
    let mut with_protocol = container.split('/');
    let container = with_protocol.next().unwrap_or_default();
    let protocol = with_protocol.next().filter(|protocol| !protocol.is_empty()).unwrap_or("tcp").to_lowercase();
    if container.is_empty() {
        return Err(format!("No port specified: {spec}<empty>"));
    }
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("Invalid proto: {protocol}"));
    }
    let address = match address.strip_prefix('[') {
        Some(rest) => {
            rest.strip_suffix(']').ok_or_else(|| format!("Invalid ip address {address}: missing ']' in address"))?
        }
        None if address.contains(':') => {
            return Err(format!("Invalid ip address {address}: address {address}:: too many colons in address"));
        }
        None => &address,
    };
    if !address.is_empty() && address.split('%').next().is_none_or(|bare| bare.parse::<IpAddr>().is_err()) {
        return Err(format!("Invalid ip address: {address}"));
    }
    let (first, last) = range(container).ok_or_else(|| format!("Invalid containerPort: {container}"))?;
    let published =
        if host.is_empty() { None } else { Some(range(host).ok_or_else(|| format!("Invalid hostPort: {host}"))?) };
    if let Some((from, to)) = published
        && last - first != to - from
        && first != last
    {
        return Err(format!("Invalid ranges specified for container and host Ports: {container} and {host}"));
    }
    let mut ports: Vec<ShortPort> = (first..=last)
        .map(|target| ShortPort {
            address: address.to_owned(),
            published: match published {
                None => String::new(),
                Some((from, to)) if first == last && from != to => format!("{from}-{to}"),
                Some((from, _)) => (from + (target - first)).to_string(),
            },
            target,
            protocol: protocol.clone(),
        })
        .collect();
    ports.sort_by_cached_key(|port| format!("{}/{}", port.target, port.protocol));
    Ok(ports)
}

fn range(text: &str) -> Option<(u16, u16)> {
    let port = |text: &str| {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u16>().ok())?
    };
    match text.split_once('-') {
        None => port(text).map(|port| (port, port)),
        Some((first, last)) => {
            let last = last.split('-').next().unwrap_or_default();
            let (first, last) = (port(first)?, port(last)?);
            (first <= last).then_some((first, last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(spec: &str) -> String {
        match parse(spec) {
            Err(problem) => problem,
            Ok(ports) => ports
                .iter()
                .map(|port| format!("{}|{}|{}/{}", port.address, port.published, port.target, port.protocol))
                .collect::<Vec<_>>()
                .join(" "),
        }
    }

    #[test]
    fn short_ports_mean_what_docker_compose_says() {
        for (spec, meaning) in [
            ("80", "||80/tcp"),
            ("8080:80", "|8080|80/tcp"),
            ("8080:80/UDP", "|8080|80/udp"),
            ("127.0.0.1:8080:80", "127.0.0.1|8080|80/tcp"),
            ("127.0.0.1::80", "127.0.0.1||80/tcp"),
            ("[::1]:8080:80", "::1|8080|80/tcp"),
            ("8000-8001:80-81", "|8000|80/tcp |8001|81/tcp"),
            ("9-10", "||10/tcp ||9/tcp"),
            ("49100-49105:80", "|49100-49105|80/tcp"),
            ("abc", "Invalid containerPort: abc"),
            ("70000:80", "Invalid hostPort: 70000"),
            ("80:80/foo", "Invalid proto: foo"),
            ("1.2.3:80:80", "Invalid ip address: 1.2.3"),
            ("80:", "No port specified: 80:<empty>"),
            ("8000-8002:80-81", "Invalid ranges specified for container and host Ports: 80-81 and 8000-8002"),
        ] {
            assert_eq!(shown(spec), meaning, "{spec}");
        }
    }
}
