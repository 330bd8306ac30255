"""Scenarios of class local: this host, this daemon."""
import signal
import time

import pki
import scenarios
import world
from scenarios import NOT_YET, scenario

NOT_YET["local.listen"] = "lending"


def ours(scene, **files):
    """Our certificate and key as they should be, but for what `files` says."""
    good = scene.authority.issue("ours", usage=pki.CLIENT)
    paths = {"certificate": str(good.certificate_file), "key": str(good.key_file), **files}
    return scene.tls(scene.serving(scene.server()), **paths)


@scenario("local.certificate-load", "load")
def certificate_load(scene):
    """our certificate's file holds rubbish"""
    return ours(scene, certificate=scene.file("c.pem", "rubbish"))


@scenario("local.key-load", "load")
def key_load(scene):
    """our key's file is missing"""
    return ours(scene, key=str(scene.folder / "missing.key"))


@scenario("local.key-mismatch", "load")
def key_mismatch(scene):
    """the key is another certificate's"""
    return ours(scene, key=str(scene.authority.issue("other").key_file))


@scenario("local.certificate-expired", "handshake", "settle")
def certificate_expired(scene):
    """the server says unknown CA, and our certificate has indeed expired"""
    stranger = pki.Authority(scene.folder / "stranger", "a stranger")
    expired = stranger.issue("client", usage=pki.CLIENT, start=pki.now() - 10 * pki.DAY, end=pki.now() - pki.DAY)
    serve = scene.serving(scene.server(), ca_file=scene.authority.file, client="required")
    return scene.tls(serve, certificate=str(expired.certificate_file), key=str(expired.key_file))


@scenario("local.ca-load", "load")
def ca_load(scene):
    """the CA file is empty"""
    return scene.tls(scene.serving(scene.server()), ca_file=scene.file("ca.pem", ""))


@scenario("local.tls-config", "load")
def tls_config(scene):
    """keylog_file is in a folder that does not exist"""
    return scene.tls(scene.serving(scene.server()), keylog_file=str(scene.folder / "no" / "keys"))


@scenario("local.no-memory", "handshake")
def no_memory(scene):
    """SSL_new is made to fail for want of memory (a fault is preloaded)"""
    scene.preload("ssl")
    return scene.tls(scene.serving(scene.server()))


@scenario("local.offline", "resolve", "connect")
def offline(_):
    """this host has loopback alone"""
    world.run("ip", "link", "del", "outer")
    return {"address": "192.0.2.7:4"}


@scenario("local.stall", "idle", check="works")
def stall(scene):
    """the daemon is stopped past a deadline"""
    def stop(daemon):
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        daemon.process.send_signal(signal.SIGCONT)
    scene.then = stop
    scene.event = "warning"
    return {"address": scene.peer().address}


@scenario("local.internal", "idle")
def internal(scene):
    """the worker of `check` is held up for ever (a system call is delayed); the daemon has no such state"""
    scene.event = None
    scene.wrapper_of_check = scenarios.traced("connect", "delay_enter=13000000")
    return {"address": scene.peer().address, "timeouts": {"attempt": "100ms"}}
