"""testcontainers: a project is started, asked and stopped as in a test of a user."""

import pathlib
import urllib.request

from testcontainers.compose import DockerCompose

with DockerCompose(context=pathlib.Path.cwd(), wait=True) as project:
    web = project.get_container("web")
    assert web.Service == "web" and web.State == "running" and web.Health == "healthy", web
    assert web.Project == project.get_config()["name"], web
    port = project.get_service_port("web", 80)
    assert urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).read() == b"hello\n"
    stdout, stderr, code = project.exec_in_container(["echo", "inside"], "web")
    assert (stdout, code) == ("inside\n", 0), (stdout, stderr, code)
    assert "web-1" in project.get_logs("web")[0] or project.get_logs("web")[0] == ""
    names = sorted(container.Service for container in project.get_containers(include_all=True))
    assert names == ["once", "web"], names
    once = project.get_container("once", include_all=True)
    assert once.State == "exited" and once.ExitCode == 0, once
    assert sorted(project.get_config(path_resolution=False, normalize=False)["services"]) == ["once", "web"]
print("done")
