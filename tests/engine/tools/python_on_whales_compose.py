"""python-on-whales: its calls and how it reads the answers."""

import os

from python_on_whales import DockerClient

docker = DockerClient(compose_files=["compose.yaml"])
compose = docker.compose
assert compose.is_installed()
assert compose.version(), compose.version()
config = compose.config()
assert sorted(config.services) == ["once", "web"], config
compose.up(detach=True, wait=True, quiet=True)
# It ends by itself, when it likes.
assert docker.wait(os.environ["COMPOSE_PROJECT_NAME"] + "-once-1") == 0
running = compose.ps()
assert [container.state.running for container in running] == [True], running
assert len(compose.ps(all=True)) == 2
projects = {project.name: project for project in compose.ls()}
project = projects[os.environ["COMPOSE_PROJECT_NAME"]]
assert project.running == 1 and project.config_files, project
host, port = compose.port("web", 80)
assert host == "127.0.0.1" and int(port) > 0, (host, port)
assert compose.execute("web", ["echo", "inside"], tty=False) == "inside"
assert "" in compose.logs("web", no_log_prefix=True)
compose.stop("web", timeout=1)
compose.start("web")
compose.restart("web", timeout=1)
compose.pause("web")
compose.unpause("web")
compose.kill("web", signal="SIGKILL")
compose.rm("web", stop=True)
compose.create()
assert compose.ps(all=True)
compose.down(volumes=True, timeout=1)
assert not compose.ps(all=True)
print("done")
