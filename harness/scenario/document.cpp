#include "harness/scenario/document.h"

#include <algorithm>

#include "harness/scenario/paths.h"
#include "harness/scenario/texts.h"

namespace breakwire::scenario {
namespace {

using json::Kind;
using json::Member;
using json::Value;

bool is_one_of(std::string_view key, std::initializer_list<std::string_view> keys) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}
bool merges_by_key(std::string_view key) {
  return is_one_of(key, {"services", "edges", "load", "vars", "matrix", "twins", "waive"});
}
bool merges_by_id(std::string_view key) { return is_one_of(key, {"timeline", "expect"}); }
bool joins(std::string_view key) { return is_one_of(key, {"tags", "secrets"}); }
bool stays_in_its_file(std::string_view key) {
  return is_one_of(key, {"$schema", "version", "name", "description", "include"});
}

json::Span whole_member(const Member& member) {
  json::Span span = member.key_span;
  if (span.source) span.end = std::max(span.end, member.value.span.end);
  return span;
}

/// The id of a timeline or expect entry, if it has one.
const Value* id_of(const Value& entry) {
  const Value* id = entry.find("id");
  return id && id->is(Kind::string) ? id : nullptr;
}

class Merger {
 public:
  Merger(const ReadFile& read_file, ErrorList& errors) : read_file_(read_file), errors_(errors) {}

  /// Whether the file itself could be read; `include` is where it is asked for, nullptr for the scenario.
  bool take(const std::string& path, const Value* include) {
    document.files.push_back(path);
    const auto text = read_file_(path);
    if (!text) {
      fail(include, path, "cannot read `" + path + "`",
           include ? "paths count from the folder of the file that contains them" : "");
      return false;
    }
    auto root = json::parse(*text, path, errors_);
    if (!root) return false;
    if (!root->is(Kind::object)) return described::wrong_kind(*root, "an object", errors_);
    check_version(*root, include == nullptr);
    open_.push_back(path);
    if (const Value* includes = root->find("include")) take_includes(*includes, path);
    open_.pop_back();
    const bool is_scenario = include == nullptr;
    if (is_scenario) document.root.span = root->span;
    for (Member& member : root->members) {
      if (is_scenario || !stays_in_its_file(member.key)) add(std::move(member));
    }
    return true;
  }

  Document document;

 private:
  void fail(const Value* at, const std::string& file, std::string what, std::string hint) {
    if (at) {
      errors_.push_back(json::error_at(at->span, std::move(what), std::move(hint)));
    } else {
      Error error;
      error.what = std::move(what);
      error.hint = std::move(hint);
      error.where.file = file;
      errors_.push_back(std::move(error));
    }
  }

  void check_version(const Value& root, bool required) {
    const std::string known = "the only known version is 1";
    if (const Value* version = root.find("version")) {
      if (!version->is(Kind::number)) {
        errors_.push_back(json::error_at(version->span, "`version` is a number", known));
      } else if (version->number != 1) {
        errors_.push_back(
            json::error_at(version->span, "unknown version " + version->text + " of the format", known));
      }
    } else if (required) {
      json::Span brace = root.span;
      brace.end = brace.begin + 1;
      errors_.push_back(json::error_at(brace, "`version` is missing", "add \"version\": 1"));
    }
  }

  void take_includes(const Value& includes, const std::string& from) {
    if (!includes.is(Kind::array)) {
      described::wrong_kind(includes, "a list of paths", errors_);
      document.whole = false;
      return;
    }
    for (const Value& include : includes.items) {
      if (!include.is(Kind::string)) {
        described::wrong_kind(include, "a path as a string", errors_);
        document.whole = false;
        continue;
      }
      const std::string path = beside(from, include.text);
      if (auto first = std::find(open_.begin(), open_.end(), path); first != open_.end()) {
        std::string circle;
        for (; first != open_.end(); ++first) circle += *first + " -> ";
        fail(&include, path, "`" + include.text + "` includes itself: " + circle + path, "");
      } else if (std::find(document.files.begin(), document.files.end(), path) == document.files.end()) {
        document.whole = take(path, &include) && document.whole;
      }
    }
  }

  void add(Member member) {
    Value& root = document.root;
    const bool object = merges_by_key(member.key);
    if (object || merges_by_id(member.key) || joins(member.key)) {
      if (!member.value.is(object ? Kind::object : Kind::array)) {
        described::wrong_kind(member.value, object ? "an object" : "a list", errors_);
        document.whole = document.whole && joins(member.key);
        return;
      }
    }
    auto present = std::find_if(root.members.begin(), root.members.end(),
                                [&](const Member& other) { return other.key == member.key; });
    if (present == root.members.end()) {
      root.members.push_back(std::move(member));
    } else if (same_file(present->key_span, member.key_span)) {
      // A duplicate key: already an error.
    } else if (object) {
      for (Member& item : member.value.members) override_key(present->value, std::move(item));
    } else if (merges_by_id(member.key)) {
      for (Value& item : member.value.items) override_id(present->value, std::move(item));
    } else if (joins(member.key)) {
      for (Value& item : member.value.items) present->value.items.push_back(std::move(item));
    } else {
      document.notes.push_back({whole_member(member), json::place_of(present->key_span)});
      *present = std::move(member);
    }
  }

  static bool same_file(const json::Span& a, const json::Span& b) { return a.source == b.source; }

  void override_key(Value& object, Member item) {
    for (Member& other : object.members) {
      if (other.key != item.key || same_file(other.key_span, item.key_span)) continue;
      document.notes.push_back({whole_member(item), json::place_of(other.key_span)});
      other = std::move(item);
      return;
    }
    object.members.push_back(std::move(item));
  }

  void override_id(Value& list, Value item) {
    if (const Value* id = id_of(item)) {
      for (Value& other : list.items) {
        const Value* other_id = id_of(other);
        if (!other_id || other_id->text != id->text || same_file(other.span, item.span)) continue;
        document.notes.push_back({item.span, json::place_of(other_id->span)});
        other = std::move(item);
        return;
      }
    }
    list.items.push_back(std::move(item));
  }

  const ReadFile& read_file_;
  ErrorList& errors_;
  std::vector<std::string> open_;  // the files whose includes are being read, outermost first
};

}  // namespace

std::optional<Document> read_document(const std::string& path, const ReadFile& read_file, ErrorList& errors) {
  Merger merger(read_file, errors);
  merger.document.root.kind = Kind::object;
  if (!merger.take(normal(path), nullptr)) return std::nullopt;
  return std::move(merger.document);
}

}  // namespace breakwire::scenario
