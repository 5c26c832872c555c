#!/usr/bin/env python3
"""Each rule of tidy.py is seen to fail on a bad sample and to pass on the good one beside it."""

import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import cpp_scan  # noqa: E402
import tidy  # noqa: E402

HEADER = "// A thing, owned by its maker, on the loop's thread.\n#pragma once\n"


def rules_of(path, text):
    """The rules of one file that find something in it."""
    file = tidy.File(path, text)
    return {rule.__name__ for rule in tidy.FILE_RULES if list(rule(file))}


def tree(texts, others=()):
    files = tidy.Tree({path: tidy.File(path, text) for path, text in texts.items()})
    files.others.update(others)
    return files


def found(files):
    return {(finding.path, finding.rule) for finding in tidy.check(files)}


def function(body_lines=1, body="  x();\n"):
    return "void f() {\n" + body * body_lines + "}\n"


# rule: (path, bad text, good text)
SAMPLES = {
    "width": ("runtime/base/a.cc", "// " + "a" * 98, "// " + "a" * 97),
    "file_length": ("runtime/base/a.cc", "int a;\n" * 501, "int a;\n" * 300),
    "function_length": ("runtime/base/a.cc", function(59), function(58)),
    "complexity": ("runtime/base/a.cc", function(15, "  if (a) b();\n"),
                   function(14, "  if (a) b();\n")),
    "header_comment": ("runtime/base/a.h", "#pragma once\n", HEADER),
    "pragma_once": ("runtime/base/a.h", "// A thing: #pragma once\n", HEADER),
    "using_namespace": ("runtime/base/a.h", HEADER + "using namespace std;\n",
                        HEADER + "using std::string; // using namespace\n"),
    "coroutine": ("runtime/base/a.cc", "int f() { co_return 1; }\n", "// co_return\n"),
    "unfinished": ("runtime/base/a.cc", "// TO" "DO later\n", "// to do\n"),
    "private_path": ("docs/a.md", "see /wo" "rk/main/x\n", "see docs/network/x and ./work/x\n"),
    "include_path": ("runtime/base/a.cc", '#include "a.h"\n', '#include "runtime/base/a.h"\n'),
    "include_floor": ("runtime/base/a.cc", '#include "runtime/loop/loop.h"\n',
                      '#include "runtime/base/b.h"\n'),
    "sdk_public": ("runtime/sdk/include/subito/a.h", HEADER + '#include "runtime/base/id.h"\n',
                   HEADER + "#include <string>\n#include <subito/function.h>\n"),
    "function_include": ("functions/echo/a.cc", "#include <uv.h>\n",
                         '#include <subito/function.h>\n#include <nlohmann/json.hpp>\n'
                         '#include "functions/echo/b.h"\n#include "functions/shop/json.h"\n'
                         '#include "functions/stock/events.pb.h"\n'),
    "one_thread": ("runtime/http/a.cc", "#include <mutex>\n", "#include <vector>\n"),
    "pure": ("scheduler/a.cc", "#include <thread>\n", "#include <vector>\n// <thread> now()\n"),
}


class RulesTest(unittest.TestCase):
    def test_each_rule_has_a_sample(self):
        self.assertEqual(set(SAMPLES), {rule.__name__ for rule in tidy.FILE_RULES})

    def test_each_rule_fails_on_its_bad_sample_alone(self):
        for rule, (path, bad, good) in SAMPLES.items():
            with self.subTest(rule):
                self.assertEqual(rules_of(path, bad), {rule})
                self.assertEqual(rules_of(path, good), set())

    def test_file_length_warns_before_it_fails(self):
        file = tidy.File("runtime/base/a.cc", "int a;\n" * 301)
        self.assertEqual([warning for _, _, warning in tidy.file_length(file)], [True])

    def test_pure_cores_do_nothing_themselves(self):
        for bad in ("auto t = Clock::now();", "auto t = clock.now();", "auto t = clock_->now();",
                    "std::random_device seed;",
                    "std::mutex m;", 'getenv("A");', 'printf("a");', "std::cout << 1;",
                    "SystemClock c;", "uv_loop_t* l;\n#include <uv.h>", "time(nullptr);"):
            with self.subTest(bad):
                self.assertEqual(rules_of("autoscaler/a.cc", bad + "\n"), {"pure"})
        for good in ("TimePoint now;", "f(now);", "auto t = node.now();",
                     "time_until(now);", "std::mt19937_64 g(seed);",
                     'std::snprintf(b, sizeof b, "%d", 1);', 'x("getenv");', "Runtime time(a);"):
            with self.subTest(good):
                self.assertEqual(rules_of("autoscaler/a.cc", good + "\n"), set())
        self.assertEqual(rules_of("runtime/loop/a.cc", "std::mutex m;\n"), set())
        counts = "#include <atomic>\nstd::atomic<int> allocations;\n"
        self.assertEqual(rules_of("scheduler/a.cc", counts), {"pure"})
        self.assertEqual(rules_of("scheduler/a_test.cc", counts), set())
        self.assertEqual(rules_of("scheduler/a_test.cc", "std::mutex m;\n"), {"pure"})

    def test_includes_point_downwards_only(self):
        refused = [("runtime/pods/a.cc", "runtime/gateway/b.h"),
                   ("autoscaler/a.cc", "scheduler/b.h"),
                   ("scheduler/a.cc", "runtime/protocol/b.h"),
                   ("runtime/loop/a.cc", "runtime/sandbox/b.h"),
                   ("deploy/store/a.cc", "deploy/api/b.h"),
                   ("deploy/api/a.cc", "runtime/node/b.h"),
                   ("runtime/base/a.cc", "runtime/sdk/b.h"),
                   ("runtime/sdk/a.cc", "runtime/loop/b.h"),
                   ("runtime/base/a.cc", "runtime/nowhere/b.h")]
        allowed = [("scheduler/a.cc", "autoscaler/b.h"),
                   ("runtime/gateway/a.cc", "runtime/server/b.h"),
                   ("runtime/pods/a.cc", "runtime/sandbox/b.h"),
                   ("runtime/node/a.cc", "deploy/api/b.h"),
                   ("deploy/cli/a.cc", "runtime/http/b.h"),
                   ("runtime/sdk/listen.cc", "runtime/loop/b.h")]
        for path, target in refused + allowed:
            with self.subTest(f"{path} -> {target}"):
                expected = {"include_floor"} if (path, target) in refused else set()
                self.assertEqual(rules_of(path, f'#include "{target}"\n'), expected)

    def test_a_template_is_a_function(self):
        path = "deploy/templates/hello/my-function.cc"
        good = '#include "my-function.h"\n#include <subito/function.h>\n'
        self.assertEqual(rules_of(path, good), set())
        for bad in ('#include "runtime/base/result.h"\n', "#include <uv.h>\n"):
            self.assertEqual(rules_of(path, bad), {"function_include"})

    def test_the_tree_has_readmes_and_a_fixed_top_level(self):
        files = tree({p: "" for p in ("runtime/base/a.md", "runtime/README.md", "lib/a.md",
                                      "README.md", ".ci/a.py")})
        self.assertEqual(found(files), {("runtime/base/README.md", "readme"), ("lib", "top_level")})

    def test_links_lead_to_files_and_headings(self):
        page = ("# A\n## What's `it` for?\n## What's it for\n```\n# none\n[no](link)\n```\n"
                "`[no](link)`\n")
        good = ("[a](b.md) [a](../README.md) [a](#a) [a](#whats-it-for) [a](#whats-it-for-1)\n"
                "[two\nlines](../LICENSE) [a](../runtime) [a](https://a.b/c) ![i](i.svg)\n"
                "`runtime/base/a` `runtime/base/` `runtime/base/a.h` `docs/*.md` `docs/x y`\n")
        files = {"README.md": "", "docs/b.md": "", "runtime/README.md": "",
                 "runtime/base/README.md": "", "runtime/base/a.h": HEADER}
        others = {"LICENSE", "docs/i.svg"}
        self.assertEqual(found(tree({**files, "docs/a.md": page + good}, others)), set())
        for bad in ("[a](c.md)", "[a](../b.md)", "[a](#b)", "[a](b.md#a)", "[a](#none)",
                    "![i](j.svg)", "[a\nb](c.md)", "[a](#whats-it-for-2)", "`runtime/base/b.h`",
                    "`docs/c`"):
            with self.subTest(bad):
                broken = tree({**files, "docs/a.md": page + good + bad + "\n"}, others)
                self.assertEqual(found(broken), {("docs/a.md", "link")})

    def test_the_command_fails_and_names_the_place(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(root + "/docs")
            with open(root + "/docs/a.md", "w", encoding="utf-8") as f:
                f.write("fine\nFIX" "ME\n")
            command = [sys.executable, os.path.abspath(tidy.__file__), "--root", root]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("docs/a.md:2: unfinished:", done.stdout)


class ScanTest(unittest.TestCase):
    def shapes(self, text):
        return [(f.name, f.first_line, f.last_line, f.complexity) for f in cpp_scan.functions(text)]

    def test_hides_comments_and_literals_and_keeps_the_shape(self):
        for text in ('a = "x{\\"}";', "b = '{';", "c = 1'000'000;", "/* { \n */ d", "e // {",
                     'f = R"(" { )" ";\n)" + g;'):
            with self.subTest(text):
                blank = cpp_scan.blank(text)
                self.assertEqual(len(blank), len(text))
                self.assertEqual(blank.count("\n"), text.count("\n"))
                self.assertNotIn("{", blank)
        self.assertIn("1'000'000", cpp_scan.blank("c = 1'000'000;"))
        self.assertIn("+ g", cpp_scan.blank('f = R"x()")x" + g;'))

    def test_finds_functions_methods_and_tests(self):
        text = ("namespace a {\nint f(int x) { return x; }\nclass B : public C {\n public:\n"
                "  B() : x_{1}, y_(2) {\n    go();\n  }\n"
                "  bool operator()(int) const { return 1; }\n"
                "  int x_{3};\n};\nint table[] = {1, 2};\nTEST(Thing, Works) {\n}\n}\n")
        self.assertEqual(self.shapes(text), [("f", 2, 2, 1), ("B", 5, 7, 1),
                                             ("operator()", 8, 8, 1), ("Thing.Works", 12, 13, 1)])

    def test_finds_templates_c_functions_and_what_returns_a_struct(self):
        text = ("template <class T, typename U = int>\nT f(T&& x) { return x; }\n"
                'extern "C" int g(const char* s) { return *s; }\nextern "C" {\n'
                "int h() { return 1; }\n}\nstatic struct point make(int a) { return {a}; }\n"
                "struct alignas(8) P {\n"
                "  int z() { return 1; }\n};\nauto l = [](int a) { return a; };\n")
        self.assertEqual([s[0] for s in self.shapes(text)], ["f", "g", "h", "make", "z", "l"])

    def test_counts_decisions_but_no_rvalue_references(self):
        body = ("  if (a && b) x();\n  for (auto&& e : c) y(std::move(e));\n  while (p || q) z();\n"
                "  switch (n) {\n    case 1:\n    case 2: w();\n  }\n  return r ? 1 : 2;\n")
        self.assertEqual(self.shapes("int f(T&& t) {\n" + body + "}\n"), [("f", 1, 10, 9)])

    def test_counts_lambdas_in_the_function_that_holds_them(self):
        text = "void f() {\n  g([&] { if (a) b(); });\n  if (c) d();\n}\n"
        self.assertEqual(self.shapes(text), [("f", 1, 4, 3)])

    def test_takes_one_branch_of_the_preprocessor(self):
        text = ("#if A\nvoid f() {\n#else\nvoid g() {\n#endif\n}\n"
                "#define M(x) { \\\n  {\nint h() {}\n")
        self.assertEqual(self.shapes(text), [("f", 2, 6, 1), ("h", 9, 9, 1)])


if __name__ == "__main__":
    unittest.main()
