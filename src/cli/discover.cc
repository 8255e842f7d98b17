#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/inspect.h"
#include "app/quantity.h"
#include "cli/console.h"
#include "cli/describe.h"
#include "cli/verbs.h"

namespace sluice::cli {

Outcome Discover(const Invocation& invocation) {
  const auto source = ResolveSource(invocation.arguments.positionals[0]);
  if (!source.ok()) return Failed(source.status());
  const auto tables = sluice::Discover(*source);
  if (!tables.ok()) return Failed(tables.status());
  Outcome outcome;
  (*outcome.members)["source"] = source->uri;
  (*outcome.members)["tables"] = nlohmann::ordered_json::array();
  for (const DescribedTable& described : *tables) {
    nlohmann::ordered_json json = {{"schema", described.name.schema},
                                   {"table", described.name.table}};
    const std::string name = Printable(ToString(described.name));
    if (!described.status.ok()) {
      json["error"] = ErrorJson(described.status);
      outcome.text += fmt::format("{}\n  cannot be copied: {}\n\n", name,
                                  Printable(described.status.message()));
    } else {
      const TableInfo& table = described.table;
      json["key"] = table.key;
      json["estimated_rows"] = table.estimated_rows;
      json["estimated_bytes"] = table.estimated_bytes;
      json["columns"] = ColumnsJson(table);
      outcome.text += fmt::format("{}  about {}, key: {}\n{}\n", name,
                                  Counted(table.estimated_rows, "row"), KeyLine(table),
                                  ColumnLines(table, "  "));
    }
    (*outcome.members)["tables"].push_back(std::move(json));
  }
  outcome.text += Counted(static_cast<int64_t>(tables->size()), "table") + " in " +
                  Printable(source->uri) + "\n";
  return outcome;
}

}  // namespace sluice::cli
