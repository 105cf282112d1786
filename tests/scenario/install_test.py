"""make install, and a program that uses what was installed."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from broker import TOP, BrokerCase

PREFIX = "/opt/ssemux"


class Install(BrokerCase):
    def setUp(self):
        super().setUp()
        self.root = tempfile.mkdtemp(prefix="ssemux-install-")
        self.addCleanup(shutil.rmtree, self.root)

    def make(self, target):
        subprocess.run(
            ["make", "-C", TOP, target, "DESTDIR=" + self.root,
             "PREFIX=" + PREFIX], check=True, capture_output=True,
            env={key: value for key, value in os.environ.items()
                 if key not in ("MAKEFLAGS", "MFLAGS")})

    def installed(self):
        return sorted(os.path.relpath(os.path.join(folder, name), self.root +
                                      PREFIX)
                      for folder, _, names in os.walk(self.root)
                      for name in names)

    def flags(self, *arguments):
        """What pkg-config says, as if the root were the machine's."""
        out = subprocess.run(
            ["pkg-config", "--define-variable=prefix=" + self.root + PREFIX,
             "--define-variable=libdir=" + self.root + PREFIX + "/lib"] +
            list(arguments) + ["ssemux-pub"], check=True, capture_output=True,
            text=True, env=dict(
                os.environ, PKG_CONFIG_PATH=self.root + PREFIX +
                "/lib/pkgconfig")).stdout
        return out.split()

    def test_all_is_there_and_goes_away_again(self):
        self.make("install")
        files = self.installed()
        for path in ("sbin/ssemuxd", "bin/ssemux-pub", "bin/ssemuxctl",
                     "include/ssemux/pub.h", "lib/libssemux-pub.a",
                     "lib/libssemux-pub.so", "lib/libssemux-pub.so.0",
                     "lib/pkgconfig/ssemux-pub.pc",
                     "lib/systemd/system/ssemuxd.service",
                     "share/man/man8/ssemuxd.8",
                     "share/man/man3/ssemux_pub.3",
                     "share/man/man7/ssemux-protocol.7"):
            self.assertIn(path, files)
        with open(self.root + PREFIX +
                  "/lib/systemd/system/ssemuxd.service") as unit:
            text = unit.read()
        self.assertIn("ExecStart=/opt/ssemux/sbin/ssemuxd", text)
        self.assertNotIn("@", text)
        self.make("uninstall")
        self.assertEqual(self.installed(), [])

    def test_the_example_is_built_with_what_pkg_config_says(self):
        self.make("install")
        broker = self.broker()
        source = os.path.join(TOP, "libpub/example.c")
        lib = self.root + PREFIX + "/lib"
        for kind, flags in (
                ("shared", self.flags("--cflags", "--libs")),
                ("static", [lib + "/libssemux-pub.a"
                            if flag == "-lssemux-pub" else flag for flag in
                            self.flags("--cflags", "--libs", "--static")])):
            program = os.path.join(self.root, "example-" + kind)
            subprocess.run(["cc", "-std=c11", "-o", program, source] + flags,
                           check=True)
            linked = subprocess.run(
                ["ldd", program], capture_output=True, text=True,
                env=dict(os.environ, LD_LIBRARY_PATH=lib)).stdout
            self.assertEqual("libssemux-pub.so.0" in linked, kind == "shared")
            for way in ("send", "loop"):
                before = len(broker.stored())
                subprocess.run(
                    [program, way, broker.socket], check=True, timeout=60,
                    stdout=subprocess.DEVNULL,
                    env=dict(os.environ, LD_LIBRARY_PATH=lib))
                self.assertGreater(len(broker.stored()), before, (kind, way))

    def test_the_manual_pages_example_is_built_and_runs_as_it_stands(self):
        self.make("install")
        with open(os.path.join(TOP, "man/ssemux_pub.3")) as page:
            text = page.read()
        command = re.search(r"^\.Ql (cc .* program\.c) \$\(pkg-config (.*)\)$",
                            text, re.M)
        self.assertIsNotNone(command)
        example = re.search(r"^\.Sh EXAMPLES\n\.Bd -literal\n(.*?)^\.Ed", text,
                            re.M | re.S).group(1).replace("\\e", "\\")
        broker = self.broker()
        example = example.replace(
            "ssemux_pub_open(NULL)", "ssemux_pub_open(&(struct "
            "ssemux_pub_options){.size = sizeof(struct ssemux_pub_options), "
            '.socket = "%s"})' % broker.socket)
        with open(os.path.join(self.root, "program.c"), "w") as source:
            source.write(example)
        subprocess.run(command.group(1).split() + self.flags(
            *[word for word in command.group(2).split()
              if word != "ssemux-pub"]), cwd=self.root, check=True)
        subprocess.run(["./program"], cwd=self.root, check=True, timeout=60,
                       env=dict(os.environ, LD_LIBRARY_PATH=self.root +
                                PREFIX + "/lib"))
        self.assertEqual([row[1:] for row in broker.stored()],
                         [("orders", None, None, b'{"status":"shipped"}')])

    def test_the_library_shows_its_public_names_and_no_other(self):
        with open(os.path.join(TOP, "libpub/include/ssemux/pub.h")) as file:
            declared = set(re.findall(
                r"^SSEMUX_PUB_API[^;(]*\b(ssemux_pub_\w+)\(", file.read(),
                re.M))
        build = os.path.join(TOP, "build")
        for file, option in (("libssemux-pub.so", "-D"),
                             ("libssemux-pub.a", "-g")):
            out = subprocess.run(
                ["nm", option, "--defined-only", os.path.join(build, file)],
                check=True, capture_output=True, text=True).stdout
            names = {line.split()[-1].split("@")[0]
                     for line in out.splitlines() if re.search(
                         r" [A-Z] (?!SSEMUX_PUB_)", line)}
            self.assertEqual(names, declared, file)


if __name__ == "__main__":
    unittest.main()
