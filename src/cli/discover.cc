#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/inspect.h"
#include "app/quantity.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/request.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome Discover(const Invocation& invocation) {
  const auto uri = ArgumentOf(invocation.arguments);
  if (!uri.ok()) return Failed(uri.status());
  const auto source = ResolveSource(*uri);
  if (!source.ok()) return Failed(source.status());
  const auto tables = sluice::Discover(*source);
  if (!tables.ok()) return Failed(tables.status());
  Outcome outcome;
  int64_t refused = 0;
  (*outcome.members)["source"] = source->uri;
  (*outcome.members)["tables"] = nlohmann::ordered_json::array();
  for (const DescribedTable& described : *tables) {
    nlohmann::ordered_json json = {{"schema", described.name.schema},
                                   {"table", described.name.table},
                                   {"kind", described.is_view ? "view" : "table"},
                                   {"error", nullptr}};
    const std::string name =
        Printable(ToString(described.name)) + (described.is_view ? " (view)" : "");
    if (!described.status.ok()) {
      json["error"] = ErrorJson(described.status);
      ++refused;
      outcome.text += fmt::format("{}\n  cannot be copied: {}\n", name,
                                  Printable(described.status.message()));
      const std::string hint(HintOf(described.status));
      outcome.text +=
          hint.empty() ? "\n" : fmt::format("  HINT: {}\n\n", Printable(hint));
    } else {
      const TableInfo& table = described.table;
      json["key"] = table.key;
      json["estimated_rows"] = table.estimated_rows;
      json["estimated_bytes"] = table.estimated_bytes;
      json["columns"] = ColumnsJson(table);
      outcome.text += fmt::format(
          "{}  about {}, {}, key: {}\n{}\n", name, Counted(table.estimated_rows, "row"),
          FormatSize(table.estimated_bytes), KeyLine(table), ColumnLines(table, "  "));
    }
    (*outcome.members)["tables"].push_back(std::move(json));
  }
  outcome.text +=
      fmt::format("{}{} in {}\n", Counted(static_cast<int64_t>(tables->size()), "table"),
                  refused == 0 ? "" : fmt::format(", {} cannot be copied,", refused),
                  Printable(source->uri));
  return outcome;
}

}  // namespace sluice::cli
