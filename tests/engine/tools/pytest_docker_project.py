"""pytest-docker: a test whose fixtures start a project."""

import pathlib
import urllib.request

import pytest


@pytest.fixture(scope="session")
def docker_compose_file():
    return str(pathlib.Path.cwd() / "compose.yaml")


@pytest.fixture(scope="session")
def docker_compose_project_name():
    return (pathlib.Path.cwd() / "name").read_text().strip()


def test_the_service_answers(docker_ip, docker_services):
    port = docker_services.port_for("web", 80)

    def answers():
        try:
            return urllib.request.urlopen(f"http://{docker_ip}:{port}/", timeout=5).read() == b"hello\n"
        except OSError:
            return False

    docker_services.wait_until_responsive(check=answers, timeout=30, pause=0.1)
