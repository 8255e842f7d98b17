#include "app/job_draft.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/connectors.h"
#include "app/inspect.h"
#include "app/quantity.h"
#include "app/secrets.h"
#include "app/yaml_tree.h"
#include "base/printable.h"
#include "base/redact.h"

namespace sluice {
namespace {

/// "SHOP_PASSWORD" for the database shop.
std::string VariableFor(const Endpoint& source) {
  std::string name;
  for (const char c : SchemaOf(source)) {
    if (c >= 'a' && c <= 'z') {
      name.push_back(static_cast<char>(c - 'a' + 'A'));
    } else {
      name.push_back((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_');
    }
  }
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) name.insert(0, "DB_");
  return name + "_PASSWORD";
}

std::string KeyOf(const TableInfo& table) {
  if (table.key.empty()) return "no key: one chunk";
  return fmt::format("key: {}", fmt::join(table.key, ", "));
}

std::string StreamLine(const TableName& name, bool is_view,
                       const Result<TableInfo>& table) {
  const std::string key = YamlText(name.table);
  if (!table.ok()) {
    return fmt::format("  # {}: {{}}  # cannot be copied: {}\n", Printable(key),
                       Printable(table.status().message()));
  }
  const std::string rows = fmt::format("about {}", Counted(table->estimated_rows, "row"));
  if (is_view) return fmt::format("  # {}: {{}}  # a view\n", key);
  return fmt::format("  {}: {{}}  # {}, {}\n", key, rows, Printable(KeyOf(*table)));
}

std::string Head(const Endpoint& source, const std::string& source_uri,
                 const std::string& lake) {
  std::string password;
  std::string uri = WithoutPassword(source_uri, &password);
  std::string head =
      "# sluice plan FILE shows what this job would do, sluice run FILE does it.\n"
      "version: 1\n";
  // What stands for the whole URI brings the password along.
  const bool is_whole =
      source.path.empty() && HasReference(uri) && UriSchemeLength(uri) == 0;
  if (!source.path.empty()) {
    uri = source.uri;
  } else if (!HasReference(password)) {
    password = fmt::format("${{env:{}}}", VariableFor(source));
  }
  head += fmt::format("source: {}\n", YamlText(uri));
  head +=
      fmt::format("destination: {}  # replace it: file:///folder or s3://bucket/prefix\n",
                  YamlText(lake));
  if (source.path.empty() && !is_whole) {
    head += fmt::format("secrets:\n  source.password: {}  # or ${{file:/path}}\n",
                        YamlText(password));
  }
  return head +
         "defaults:\n"
         "  compression: zstd:1\n"
         "  file_size: 128MiB\n"
         "limits:\n"
         "  memory: 256MiB\n"
         "  connections: 2\n";
}

}  // namespace

Result<std::string> DraftJob(const std::string& source_uri, const JobRules& rules) {
  std::string password;
  WithoutPassword(source_uri, &password);
  if (HasReference(password) && HasLiteralPassword(source_uri)) {
    return Error(
        ErrorKind::kUsage, "job.literal-secret",
        "the password in the URI is a reference only in part",
        "write the whole of it as one: 'mysql://user:${env:NAME}@host/database'");
  }
  ARROW_ASSIGN_OR_RAISE(const std::string uri, ReplaceInUri(source_uri, rules));
  ARROW_ASSIGN_OR_RAISE(const Endpoint endpoint, ResolveSource(uri));
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenSource(endpoint));
  ARROW_ASSIGN_OR_RAISE(const SessionSet set, source->Open(Consistency::kPerChunk, 1));
  Session& session = *set.sessions[0];
  ARROW_ASSIGN_OR_RAISE(const auto base, session.List({"*", /*views=*/false}));
  ARROW_ASSIGN_OR_RAISE(const auto all, session.List({"*", /*views=*/true}));
  std::string streams;
  bool any = false;
  for (const TableName& name : all) {
    Relation relation;
    relation.name = name;
    const bool is_view = std::ranges::count(base, name) == 0;
    const auto table = session.Describe(relation);
    any = any || (table.ok() && !is_view);
    streams += StreamLine(name, is_view, table);
  }
  if (!any) streams = "  \"*\": {}  # every table; there is none yet\n" + streams;
  // Whole: the file may be run from anywhere, by cron for one.
  ARROW_ASSIGN_OR_RAISE(const Endpoint lake, ResolveDestination("lake"));
  return fmt::format("{}streams:\n{}", Head(endpoint, source_uri, lake.uri), streams);
}

}  // namespace sluice
