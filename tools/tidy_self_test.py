"""Breaks each rule of tools/tidy once, in a tree of its own, and demands that the break is seen:
under its rule, at its line, and alone. What looks like a break and is none must stay silent."""
from pathlib import Path

HEADER = "/// \\file\n/// What it is for.\n#pragma once\n\n"
BODY = "".join(f"  Act({n});\n" for n in range(80))

# rule -> (path, text, line): one break each, and more where a rule has several faces.
BREAKS = [
    ("layer", "src/store/local.cc", '#include "state/sqlite_state.h"\n', 1),
    ("layer", "src/base/json.cc", '#include "driver/sqlite.h"\n', 1),
    ("layer", "src/transfer/steps.cc", '#include "destination/object_store.h"\n', 1),
    ("layer", "src/cli/copy.cc", '#include "transfer/steps.h"\n', 1),
    ("layer", "src/source/sqlite.cc", '#include "testing/fake_clock.h"\n', 1),
    ("layer", "testing/fake_clock.cc", '#include "base/uuid.h"\n', 1),
    ("layer", "src/source/sqlite.cc", '#include "source/world_test.h"\n', 1),
    ("layer", "src/spare/thing.cc", "int x;\n", 1),
    ("connectors", "src/app/run.cc", '#include "source/sqlite.h"\n', 1),
    ("public-include", "include/sluice/bad.h", HEADER + '#include "arrow/record_batch.h"\n', 5),
    ("public-include", "include/sluice/bad.h", HEADER + "#include <fmt/format.h>\n", 5),
    ("library", "src/state/sqlite_state.cc", "#include <sqlite3.h>\n", 1),
    ("library", "src/cli/main.cc", "#include <yaml-cpp/yaml.h>\n", 1),
    ("library", "src/app/options.cc", "#include <CLI/CLI.hpp>\n", 1),
    ("library", "src/store/local.cc", "#include <spdlog/spdlog.h>\n", 1),
    ("library", "src/sql/digest.h", HEADER + "#include <nlohmann/json.hpp>\n", 5),
    ("library", "src/store/local.cc", "#include <openssl/sha.h>\n", 1),
    ("library", "src/plan/keyset.cc", "#include <gtest/gtest.h>\n", 1),
    ("arrow-api", "src/encode/parquet.cc", "#include <arrow/api.h>\n", 1),
    ("arrow-api", "src/encode/parquet_test.cc", "#include <parquet/api/reader.h>\n", 1),
    ("output-stream", "src/encode/csv.cc", "auto Go(Fs& fs) { return fs.OpenOutputStream(p); }\n", 1),
    ("output-stream", "src/encode/csv.cc", "auto Go() { return arrow::io::FileOutputStream::Open(p); }\n", 1),
    ("file-write", "src/app/x.cc", "void Go() {\n  std::ofstream out(path);\n}\n", 2),
    ("file-write", "src/app/x.cc", "void Go() {\n  std::filesystem::rename(a, b);\n}\n", 2),
    ("sleep", "src/transfer/workers.cc", "void Go() {\n  std::this_thread::sleep_for(1s);\n}\n", 2),
    ("sleep", "src/store/local_test.cc", "void Go() {\n  usleep(5);\n}\n", 2),
    ("time", "src/plan/keyset.cc", "auto Go() { return std::chrono::steady_clock::now(); }\n", 1),
    ("using-namespace", "src/plan/keyset.cc", "using namespace std;\n", 1),
    ("regex", "src/plan/keyset.cc", "bool Go() { return std::regex_match(a, b); }\n", 1),
    ("skipped-test", "src/plan/keyset_test.cc", "TEST(A, B) {\n  GTEST_SKIP();\n}\n", 2),
    ("skipped-test", "src/plan/keyset_test.cc", "TEST(A, DISABLED_B) {}\n", 1),
    ("dropped-result", "src/plan/keyset.cc", "void Go() {\n  (void)load.Commit(x);\n}\n", 2),
    ("dropped-result", "src/plan/keyset.cc", "void Go() {\n  static_cast<void>(Commit(x));\n}\n", 2),
    ("status-warn", "src/plan/keyset.cc", "void Go() {\n  status.Warn();\n}\n", 2),
    ("status-abort", "src/plan/keyset.cc", "int Go() { return Rows().ValueOrDie(); }\n", 1),
    ("status-abort", "src/plan/keyset.cc", "void Go() {\n  rows.status().Abort();\n}\n", 2),
    ("swallowed-exception", "src/plan/keyset.cc", "void Go() {\n  try {\n    A();\n  } catch (...) {\n  }\n}\n", 4),
    ("print", "src/plan/keyset.cc", 'void Go() { printf("%d", 1); }\n', 1),
    ("print", "src/plan/keyset.cc", 'void Go() { std::cerr << 1; }\n', 1),
    ("exit", "src/cli/copy.cc", "void Go() { std::exit(1); }\n", 1),
    ("hard-exit", "src/app/x.cc", "void Go() { ::_exit(1); }\n", 1),
    ("shell", "src/app/x.cc", 'int Go() { return system("ls"); }\n', 1),
    ("marker", "CHANGELOG.md", "one\nTO" + "DO: two\n", 2),
    ("marker", "src/plan/keyset.cc", "int x;  // FIX" + "ME later\n", 1),
    ("header", "src/plan/keyset.h", "/// \\file\n/// Says why.\nint x;\n", 1),
    ("header", "src/plan/keyset.h", "#pragma once\nint x;\n", 1),
    ("dead-link", "README.md", "one\n[a page](docs" + "/nowhere.md#part)\n", 2),
    ("dead-link", "src/base/x.cc", "int x;  // docs" + "/nowhere.md\n", 1),
    ("drawer", "src/base/string_util.cc", "int x;\n", 1),
    ("drawer", "src/helpers/thing.md", "text\n", 1),
    ("drawer", "tests/e2e/common.py", "x = 1\n", 1),
    ("file-size", "src/plan/keyset.cc", "int x;\n" * 601, 601),
    ("file-size", "tests/e2e/test_copy.py", "x = 1\n" * 601, 601),
    ("public-header-size", "include/sluice/long.h", HEADER + "class A;\n" * 120, 124),
    ("architecture-size", "ARCHITECTURE.md", "line\n" * 201, 201),
    ("function-size", "src/plan/keyset.cc", "namespace a {\n\nint Go(int a) {\n" + BODY + "}\n\n}  // namespace a\n", 3),
    ("function-size", "src/plan/keyset.cc", "class A {\n public:\n  A() : b_{1}, c_(2) {\n" + BODY + "  }\n};\n", 3),
    ("function-size", "src/plan/keyset.cc", "TEST_F(KeysetTest, IsLong) {\n" + BODY + "}\n", 1),
    ("function-size", "src/plan/keyset.cc",
     "auto Keyset::Next(\n    Session& session) const -> Result<int> {\n" + BODY + "}\n", 1),
    ("parameters", "src/plan/keyset.cc", "int Go(int a, int b, int c, int d, int e, int f, int g) { return a; }\n", 1),
    ("parameters", "src/plan/keyset.h",
     HEADER + "class A {\n  virtual Status Go(const Map<int, int>& a, int b, F<void(int, int)> c, int d,\n"
     "                    int e, int f, int g) = 0;\n};\n", 6),
]

# Paths and texts that look like breaks and are none.
SOUND = {
    "include/sluice/table.h": HEADER + '#include <memory>\n\n#include "arrow/io/type_fwd.h"\n'
    '#include "arrow/status.h"\n#include "sluice/error.h"\n'
    "struct Sum {\n  void Add(Map<int, int> a, int b, int c = Max(1, 2), int d = 0, int e = 0, int f = 0);\n};\n",
    "src/app/connectors.cc": '#include "destination/object_store.h"\n#include "source/sqlite.h"\n',
    "src/app/verify.cc": '#include "destination/manifest.h"\n',
    "src/driver/sqlite.cc": "#include <sqlite3.h>\n",
    "src/base/clock.cc": "void Go() {\n  std::this_thread::sleep_for(1s);\n}\n",
    "src/store/local.cc": "auto Go() { return arrow::io::FileOutputStream::Open(p); }\n"
    "Status Store::Abort(const StagedObject& s) { return stream_->Abort() & store_.Abort(s); }\n",
    "src/store/local_test.cc": '#include <gtest/gtest.h>\n#include "state/sqlite_state.h"\n#include "testing/x.h"\n',
    "src/source/sqlite.h": HEADER + "#include <nlohmann/json_fwd.hpp>\n",
    "src/plan/keyset.cc": "/* printf( sleep_for( exit( */  // std::regex, OpenOutputStream\n"
    'const char* kText = "TEST: system(x) (void)Go() std::cout";\n'
    'const char* kSql = R"(select exit(1), \'{{{\' -- ")";\n'
    "constexpr int kTable[] = {1, 2, 3};\n"
    "#define LONG(x) \\\n" + "  Act(x); \\\n" * 80 + "  Act(x)\n"
    "const std::map<std::string, std::function<int(int)>> kActs = {\n" + '    {"a", Act},\n' * 80 + "};\n"
    "enum class Kind {\n" + "".join(f"  k{n},\n" for n in range(80)) + "};\n"
    "namespace {\nstruct Part {\n  int a = 0;\n" + "  void Go() { Act(1); }\n" * 80 + "};\n}\n"
    "void Good(int million = 1'000'000, char c = '{') { clock.Sleep(1, stop); snprintf(b, 1, c); }\n"
    "bool operator==(const A& a, const B& b) { return a.x == b.x; }\n"
    "bool operator()(const A& a, const B& b) const { return !(a < b); }\n"
    "Keyset::Keyset(int a) : a_{a}, b_{Max(1, 2), 3} {}\n",
}


def write(root, files):
    for path, text in files.items():
        target = Path(root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def self_test(tidy, temporary_folder):
    failures = []
    with temporary_folder() as root:
        write(root, SOUND)
        failures += [f"sound, but found: {finding}" for finding in tidy.check_tree(Path(root))[0]]
    for rule, path, text, line in BREAKS:
        with temporary_folder() as root:
            write(root, {path: text})
            found = [(f[0], f[1], f[2]) for f in tidy.check_tree(Path(root))[0]]
            if found != [(path, line, rule)]:
                failures.append(f"a break of [{rule}] in {path}:{line} was reported as {found}")
    shown = {rule for rule, *_ in BREAKS}
    rules = {ban.rule for ban in tidy.BANS} | {rule for rule, *_ in tidy.BANNED_INCLUDES}
    failures += [f"no break shows [{rule}]" for rule in sorted(rules - shown)]
    for failure in failures:
        print(failure)
    print(f"tidy --self-test: {len(BREAKS)} breaks of {len(shown)} rules, {len(failures)} not as they should be")
    return 1 if failures else 0
