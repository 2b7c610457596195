//! Ports: reserved before anything starts, kept while a node is dead, and, when one is taken, by whom.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// How long the system may take to give a port back that was just closed.
const RELEASE: Duration = Duration::from_secs(2);

/// A port that is bound but does not listen: it refuses connections, and nobody else can take it.
#[derive(Debug)]
pub struct Reserved(Socket);

impl Reserved {
    /// Reserves `address` (port 0: any free one).
    pub fn new(address: SocketAddr) -> io::Result<Reserved> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // Connections of an earlier life that linger in the system do not matter.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        // Left on, another socket that sets it too could take the port while this one does not listen.
        socket.set_reuse_address(false)?;
        Ok(Reserved(socket))
    }

    /// Reserves `address` again, right after its listener was closed.
    pub async fn again(address: SocketAddr) -> io::Result<Reserved> {
        let deadline = tokio::time::Instant::now() + RELEASE;
        loop {
            match Reserved::new(address) {
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse
                        && tokio::time::Instant::now() < deadline =>
                {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                result => return result,
            }
        }
    }

    /// Where it is.
    pub fn address(&self) -> io::Result<SocketAddr> {
        let address = self.0.local_addr()?;
        address
            .as_socket()
            .ok_or_else(|| io::Error::other("not an internet address"))
    }

    /// Takes connections from now on.
    pub fn listen(self) -> io::Result<TcpListener> {
        // Nobody can take a port that listens. Connections of an earlier life that linger must not keep it from us, nor
        // ours, which inherit this, keep it from whoever comes next.
        self.0.set_reuse_address(true)?;
        self.0.listen(BACKLOG)?;
        self.0.set_nonblocking(true)?;
        Ok(self.0.into())
    }
}

/// Who holds `port`, as in `python3 (pid 812)`, if the system tells.
pub fn owner(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| inode(table, port))?;
    let socket = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let is_pid = |name: &std::ffi::OsStr| name.to_string_lossy().parse::<u32>().is_ok();
    for process in processes.filter(|process| is_pid(&process.file_name())) {
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = |file: std::fs::DirEntry| {
            std::fs::read_link(file.path()).is_ok_and(|link| link.as_os_str() == socket.as_str())
        };
        if files.flatten().any(holds) {
            let name = std::fs::read_to_string(process.path().join("comm")).ok()?;
            let pid = process.file_name();
            return Some(format!("{} (pid {})", name.trim(), pid.to_string_lossy()));
        }
    }
    None
}

/// What the system said of `port`, with whoever holds it.
pub(super) fn taken(port: u16, error: io::Error) -> io::Error {
    match owner(port) {
        Some(owner) if error.kind() == io::ErrorKind::AddrInUse => {
            io::Error::new(error.kind(), format!("{owner} holds port {port}"))
        }
        _ => error,
    }
}

/// The socket that holds `port`, from a table whose second column is `address:port` in hexadecimal and whose tenth is
/// the socket's number.
fn inode(table: &str, port: u16) -> Option<String> {
    let table = std::fs::read_to_string(table).ok()?;
    let suffix = format!(":{port:04X}");
    let line = table.lines().find(|line| {
        let mut columns = line.split_whitespace();
        let is_ours = columns.nth(1).is_some_and(|local| local.ends_with(&suffix));
        // 0A listens, 07 is bound only: a connection of somebody's does not hold the port.
        is_ours
            && columns
                .nth(1)
                .is_some_and(|state| ["0A", "07"].contains(&state))
    })?;
    line.split_whitespace().nth(9).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpStream};

    use super::*;

    fn any() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 0).into()
    }

    #[test]
    fn a_reserved_port_refuses_until_it_listens() {
        let reserved = Reserved::new(any()).expect("a free port");
        let address = reserved.address().expect("an address");
        let refused = TcpStream::connect(address).map_err(|error| error.kind());
        assert_eq!(refused.err(), Some(io::ErrorKind::ConnectionRefused));
        let _listener = reserved.listen().expect("to listen");
        assert!(TcpStream::connect(address).is_ok());
    }

    #[test]
    fn nobody_else_can_take_a_reserved_port() {
        let reserved = Reserved::new(any()).expect("a free port");
        let address = reserved.address().expect("an address");
        let taken = Reserved::new(address).map_err(|error| error.kind());
        assert_eq!(taken.err(), Some(io::ErrorKind::AddrInUse));
    }

    #[test]
    fn a_connection_that_lingers_does_not_keep_the_port_from_the_next() {
        let reserved = Reserved::new(any()).expect("a free port");
        let listener = reserved.listen().expect("to listen");
        listener.set_nonblocking(false).expect("a blocking socket");
        let address = listener.local_addr().expect("an address");
        let client = TcpStream::connect(address).expect("a connection");
        let (server, _) = listener.accept().expect("a connection");
        // Who closes first is left with a socket that lingers.
        drop(server);
        drop(client);
        drop(listener);
        assert!(Reserved::new(address).and_then(Reserved::listen).is_ok());
    }

    #[tokio::test]
    async fn a_port_can_be_reserved_again_at_once() {
        let listener = Reserved::new(any())
            .expect("a free port")
            .listen()
            .expect("to listen");
        let address = listener.local_addr().expect("an address");
        let client = TcpStream::connect(address).expect("a connection");
        drop(listener);
        assert!(Reserved::again(address).await.is_ok());
        drop(client);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_owner_of_a_port_is_named() {
        let listener = TcpListener::bind(any()).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let owner = owner(port).expect("an owner");
        assert!(
            owner.contains(&format!("(pid {})", std::process::id())),
            "{owner}"
        );
    }
}
