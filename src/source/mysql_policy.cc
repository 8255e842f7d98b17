#include "source/mysql_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/type_policy.h"
#include "base/vocabulary_json.h"

namespace sluice::mysql {
namespace {

constexpr std::array kMisfitNames = {"error", "null", "replace", "empty"};
constexpr const char* kMismatch = "on_type_mismatch";

bool IsTemporal(ColumnKind kind) {
  return kind == ColumnKind::kDate || kind == ColumnKind::kTimestamp ||
         kind == ColumnKind::kInstant;
}

bool IsCharacters(const DeclaredType& declared) {
  const std::string& type = declared.data_type;
  return type == "char" || type == "varchar" || type.ends_with("text");
}

/// Has the type values that the policy speaks of?
bool Applies(std::string_view policy, const DeclaredType& declared,
             const DeliveredType& type) {
  const std::string& name = declared.data_type;
  if (policy == kMismatch) return true;
  if (policy == "zero_date") return IsTemporal(type.kind);
  if (policy == "tinyint1") return declared.column_type.starts_with("tinyint(1)");
  if (policy == "unsigned")
    return declared.column_type.find(" unsigned") != std::string::npos &&
           (name.ends_with("int"));
  if (policy == "wide_decimal")
    return name == "decimal" && type.kind == ColumnKind::kAscii;
  if (policy == "time") return name == "time";
  if (policy == "invalid_utf8") return IsCharacters(declared);
  if (policy == "uuid") return name == "uuid" || declared.column_type == "binary(16)";
  if (policy == "enum_error") return name == "enum";
  if (policy == "geometry") return type.kind == ColumnKind::kGeometry;
  return false;
}

class Decision {
 public:
  Decision(const Relation& relation, const std::string& column,
           const DeclaredType& declared)
      : relation_(relation), column_(column), declared_(declared) {}

  Result<Delivery> Make() {
    ARROW_ASSIGN_OR_RAISE(delivery_.type, DeliveredTypeOf(declared_));
    const DeliveredType plain = delivery_.type;
    ARROW_RETURN_NOT_OK(JudgeMisfits(Word(kMismatch, plain), plain));
    for (const TypePolicy& policy : TypePolicies()) {
      const std::string_view word = Word(policy.name, plain);
      if (word.empty()) continue;
      if (!HasWord(policy, word)) return NoSuchWord(policy.name, word);
      Apply(policy.name, word);
      const bool is_other = delivery_.type.kind != plain.kind;
      if (is_other && delivery_.policy.empty())
        delivery_.policy = fmt::format("{}={}", policy.name, word);
    }
    return delivery_;
  }

 private:
  /// What holds for the column; "" where the policy is none of its type's, or says nothing.
  std::string_view Word(std::string_view policy, const DeliveredType& type) const {
    if (!Applies(policy, declared_, type)) return {};
    return PolicyOf(relation_, policy, declared_.column_type, column_);
  }

  Status NoSuchWord(std::string_view policy, std::string_view word) const {
    const TypePolicy* known = FindTypePolicy(policy);
    const std::string_view words = known == nullptr ? "error null string" : known->words;
    return Error(ErrorKind::kUsage, "source.policy",
                 fmt::format("column {}: no {} {}", column_, policy, word),
                 fmt::format("there are: {}", words));
  }

  Status JudgeMisfits(std::string_view word, const DeliveredType& plain) {
    OnTypeMismatch mismatch = relation_.on_type_mismatch;
    if (!word.empty()) {
      const auto said = OnTypeMismatchFrom(word);
      if (!said.ok()) return NoSuchWord(kMismatch, word);
      mismatch = *said;
    }
    if (mismatch == OnTypeMismatch::kNull) delivery_.on_misfit = OnMisfit::kNull;
    delivery_.find_misfits =
        mismatch == OnTypeMismatch::kString && IsTemporal(plain.kind);
    return Status::OK();
  }

  void Misfits(std::string_view word) {
    delivery_.on_misfit = word == "null"      ? OnMisfit::kNull
                          : word == "replace" ? OnMisfit::kReplace
                          : word == "empty"   ? OnMisfit::kEmpty
                                              : OnMisfit::kError;
  }

  void Apply(std::string_view policy, std::string_view word) {
    DeliveredType& type = delivery_.type;
    if (policy == "zero_date") {
      Misfits(word);
      delivery_.find_misfits = word == "string";
    } else if (policy == "enum_error" || (policy == "invalid_utf8" && word != "binary")) {
      Misfits(word);
    } else if (policy == "invalid_utf8") {
      delivery_.as_stored = true;
      type.kind = ColumnKind::kBytes;
    } else if (word == "bool") {
      type.kind = ColumnKind::kFlag;
    } else if (word == "native" && type.kind != ColumnKind::kFlag) {
      type.kind = declared_.data_type == "tinyint"    ? ColumnKind::kUint8Native
                  : declared_.data_type == "smallint" ? ColumnKind::kUint16Native
                  : declared_.data_type == "bigint"   ? ColumnKind::kUint64Native
                                                      : ColumnKind::kUint32Native;
    } else if (word == "decimal256") {
      type.kind = ColumnKind::kWideDecimal;
    } else if (word == "time64") {
      type.kind = ColumnKind::kTimeOfDay;
    } else if (word == "micros") {
      type.kind = ColumnKind::kTimeMicros;
    } else if (policy == "uuid" && word == "fixed") {
      type.kind =
          declared_.data_type == "uuid" ? ColumnKind::kUuidText : ColumnKind::kSixteen;
    } else if (word == "ewkb") {
      type.kind = ColumnKind::kEwkb;
    }
  }

  const Relation& relation_;
  const std::string& column_;
  const DeclaredType& declared_;
  Delivery delivery_;
};

}  // namespace

const char* NameOf(OnMisfit misfit) { return kMisfitNames[static_cast<size_t>(misfit)]; }

Result<OnMisfit> OnMisfitFrom(std::string_view name) {
  for (size_t i = 0; i < kMisfitNames.size(); ++i)
    if (name == kMisfitNames[i]) return static_cast<OnMisfit>(i);
  return Error(ErrorKind::kSource, "json.malformed",
               fmt::format("wanted what becomes of a misfit, found {}", name));
}

Result<Delivery> DeliveryOf(const Relation& relation, const std::string& column,
                            const DeclaredType& declared) {
  return Decision(relation, column, declared).Make();
}

Status CheckColumnPolicies(const Policies& policies, const std::string& column,
                           const DeclaredType& declared) {
  ARROW_ASSIGN_OR_RAISE(const DeliveredType type, DeliveredTypeOf(declared));
  for (const auto& [policy, word] : policies) {
    if (Applies(policy, declared, type)) continue;
    return Error(ErrorKind::kUsage, "source.policy",
                 fmt::format("column {}: {} does not concern its type, {}", column,
                             policy, declared.column_type),
                 "leave it out, or say it for the column that is meant");
  }
  return Status::OK();
}

}  // namespace sluice::mysql
