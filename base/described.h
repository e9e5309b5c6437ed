// Described structs: one list of fields gives the parser, its errors, the JSON Schema and the documentation.
// Pure.
//
//   struct Latency {
//     Duration delay{};
//     Duration jitter{};
//     static const Fields<Latency>& fields() {
//       static const auto all = Fields<Latency>()
//           .required("delay", &Latency::delay, "Time added to every byte.")
//           .optional("jitter", &Latency::jitter, "Up to this much more or less, at random.");
//       return all;
//     }
//   };
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/status_code.h"

namespace breakwire {

/// What `explain`, the schema and the documentation say of one field.
struct FieldInfo {
  std::string name;
  std::string type;  // "duration", "status code", "list of status codes", …
  bool required = false;
  std::string default_text;  // as it would stand in a file; empty when left out means "none"
  std::string doc;
  json::Value schema;
};

/// How a C++ type reads from and describes itself in a file. `read` reports every error and answers whether
/// the value can be used.
template <class T>
struct Codec;

template <class T>
concept Described = requires {
  T::fields();
};

/// A number per hundred, written "10%"; `value` is 0..100.
struct Percent {
  double value = 0;
  bool operator==(const Percent&) const = default;
};
/// So many per second, written "50/s" or "3/m".
struct Rate {
  double per_second = 0;
  bool operator==(const Rate&) const = default;
};
/// Bytes, written "64KiB", "1MiB", "500B", "10kB".
struct ByteSize {
  uint64_t bytes = 0;
  bool operator==(const ByteSize&) const = default;
};
/// Either a count or a share, written 3 or "99%".
struct CountOrPercent {
  std::optional<uint64_t> count;
  std::optional<double> percent;
  bool operator==(const CountOrPercent&) const = default;
};
std::string to_text(const CountOrPercent& amount);

/// Specialise with `static const std::vector<std::pair<std::string, E>>& names()` and `static std::string
/// type()`.
template <class E>
struct EnumNames;

namespace described {
bool wrong_kind(const json::Value& value, std::string_view wanted, ErrorList& errors);
bool read_text(const json::Value& value, std::string_view what, std::string& out, ErrorList& errors);
bool read_integer(const json::Value& value, int64_t low, uint64_t high, double& out, ErrorList& errors);
/// A name out of a list, with "did you mean".
std::optional<size_t> read_name(const json::Value& value, std::string_view what,
                                const std::vector<std::string>& names, ErrorList& errors);
json::Value name_schema(const std::vector<std::string>& names);
/// Unknown keys of an object become errors; answers whether there were none.
bool only_known(const json::Value& object, const std::vector<std::string>& known, ErrorList& errors);
json::Value object_schema(const std::vector<FieldInfo>& fields);
}  // namespace described

/// The fields of `T`, in the order of their documentation.
template <class T>
class Fields {
 public:
  template <class M>
  Fields&& required(std::string name, M T::*member, std::string doc) && {
    return add(std::move(name), member, std::move(doc), true);
  }
  /// Left out, the member keeps the value `T{}` gives it.
  template <class M>
  Fields&& optional(std::string name, M T::*member, std::string doc) && {
    return add(std::move(name), member, std::move(doc), false);
  }
  /// A rule about several fields; it adds its errors, placed at the object.
  Fields&& rule(std::function<void(const T&, const json::Value&, ErrorList&)> check) && {
    rules_.push_back(std::move(check));
    return std::move(*this);
  }

  /// Reads an object; `also_known` are keys somebody else reads. Answers whether `out` can be used.
  bool read(const json::Value& object, T& out, ErrorList& errors,
            const std::vector<std::string>& also_known = {}) const {
    if (object.kind != json::Kind::object) return described::wrong_kind(object, "an object", errors);
    std::vector<std::string> known = also_known;
    for (const auto& field : fields_) known.push_back(field.info.name);
    bool good = described::only_known(object, known, errors);
    for (const auto& field : fields_) {
      if (const json::Value* value = object.find(field.info.name)) {
        good = field.read(*value, out, errors) && good;
      } else if (field.info.required) {
        errors.push_back(json::error_at(object.span, "`" + field.info.name + "` is missing", field.info.doc));
        good = false;
      }
    }
    if (good) {
      const size_t before = errors.size();
      for (const auto& rule : rules_) rule(out, object, errors);
      good = errors.size() == before;
    }
    return good;
  }

  std::vector<FieldInfo> info() const {
    std::vector<FieldInfo> all;
    for (const auto& field : fields_) all.push_back(field.info);
    return all;
  }
  json::Value schema() const { return described::object_schema(info()); }

 private:
  struct Field {
    FieldInfo info;
    std::function<bool(const json::Value&, T&, ErrorList&)> read;
  };

  template <class M>
  Fields&& add(std::string name, M T::*member, std::string doc, bool required) {
    Field field;
    field.info = {.name = std::move(name),
                  .type = Codec<M>::type(),
                  .required = required,
                  .default_text = required ? "" : Codec<M>::show(T{}.*member),
                  .doc = std::move(doc),
                  .schema = Codec<M>::schema()};
    field.read = [member](const json::Value& value, T& out, ErrorList& errors) {
      return Codec<M>::read(value, out.*member, errors);
    };
    fields_.push_back(std::move(field));
    return std::move(*this);
  }

  std::vector<Field> fields_;
  std::vector<std::function<void(const T&, const json::Value&, ErrorList&)>> rules_;
};

#define BREAKWIRE_CODEC(T)                                                 \
  template <>                                                              \
  struct Codec<T> {                                                        \
    static bool read(const json::Value& value, T& out, ErrorList& errors); \
    static json::Value schema();                                           \
    static std::string type();                                             \
    static std::string show(const T& value);                               \
  }
BREAKWIRE_CODEC(bool);
BREAKWIRE_CODEC(int);
BREAKWIRE_CODEC(unsigned);
BREAKWIRE_CODEC(uint64_t);
BREAKWIRE_CODEC(double);
BREAKWIRE_CODEC(std::string);
BREAKWIRE_CODEC(Duration);
BREAKWIRE_CODEC(Percent);
BREAKWIRE_CODEC(Rate);
BREAKWIRE_CODEC(ByteSize);
BREAKWIRE_CODEC(CountOrPercent);
BREAKWIRE_CODEC(StatusCode);
BREAKWIRE_CODEC(Http2Error);
BREAKWIRE_CODEC(json::Value);  // anything; for requests and the like
#undef BREAKWIRE_CODEC

template <class Tag>
struct Codec<NameId<Tag>> {
  static bool read(const json::Value& value, NameId<Tag>& out, ErrorList& errors) {
    return Codec<std::string>::read(value, out.text, errors);
  }
  static json::Value schema() { return Codec<std::string>::schema(); }
  /// What it names: "service", "edge", …; who reads a scenario looks up whether there is such a thing.
  static std::string type() {
    if constexpr (std::is_same_v<Tag, ServiceTag>) return "service";
    if constexpr (std::is_same_v<Tag, EdgeTag>) return "edge";
    if constexpr (std::is_same_v<Tag, FaultTag>) return "fault";
    if constexpr (std::is_same_v<Tag, LoadTag>) return "load";
    return "name";
  }
  static std::string show(const NameId<Tag>& value) { return value.text; }
};

template <class T>
struct Codec<std::optional<T>> {
  static bool read(const json::Value& value, std::optional<T>& out, ErrorList& errors) {
    return Codec<T>::read(value, out.emplace(), errors);
  }
  static json::Value schema() { return Codec<T>::schema(); }
  static std::string type() { return Codec<T>::type(); }
  static std::string show(const std::optional<T>& value) { return value ? Codec<T>::show(*value) : ""; }
};

template <class T>
struct Codec<std::vector<T>> {
  static bool read(const json::Value& value, std::vector<T>& out, ErrorList& errors) {
    if (value.kind != json::Kind::array) return described::wrong_kind(value, "a list", errors);
    bool good = true;
    out.clear();
    for (const auto& item : value.items) {
      T element{};
      good = Codec<T>::read(item, element, errors) && good;
      out.push_back(std::move(element));
    }
    return good;
  }
  static json::Value schema() { return json::object({{"type", "array"}, {"items", Codec<T>::schema()}}); }
  static std::string type() { return "list of " + Codec<T>::type(); }
  static std::string show(const std::vector<T>& value) {
    std::string text;
    for (const auto& item : value) text += (text.empty() ? "" : ", ") + Codec<T>::show(item);
    return value.empty() ? "" : "[" + text + "]";
  }
};

/// Objects used as maps: keys are read by the key's codec as if they were strings.
template <class K, class V>
struct Codec<std::map<K, V>> {
  static bool read(const json::Value& value, std::map<K, V>& out, ErrorList& errors) {
    if (value.kind != json::Kind::object) return described::wrong_kind(value, "an object", errors);
    bool good = true;
    out.clear();
    for (const auto& member : value.members) {
      json::Value key_value(member.key);
      key_value.span = member.key_span;
      K key{};
      V element{};
      const bool key_good = Codec<K>::read(key_value, key, errors);
      good = Codec<V>::read(member.value, element, errors) && key_good && good;
      if (key_good) out.emplace(std::move(key), std::move(element));
    }
    return good;
  }
  static json::Value schema() {
    return json::object({{"type", "object"}, {"additionalProperties", Codec<V>::schema()}});
  }
  static std::string type() { return "object of " + Codec<K>::type() + " to " + Codec<V>::type(); }
  static std::string show(const std::map<K, V>&) { return ""; }
};

template <class E>
requires std::is_enum_v<E> && requires { EnumNames<E>::names(); }
struct Codec<E> {
  static std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& [name, value] : EnumNames<E>::names()) all.push_back(name);
    return all;
  }
  static bool read(const json::Value& value, E& out, ErrorList& errors) {
    const auto index = described::read_name(value, type(), names(), errors);
    if (index) out = EnumNames<E>::names()[*index].second;
    return index.has_value();
  }
  static json::Value schema() { return described::name_schema(names()); }
  static std::string type() { return EnumNames<E>::type(); }
  static std::string show(const E& value) {
    for (const auto& [name, other] : EnumNames<E>::names()) {
      if (other == value) return name;
    }
    return "";
  }
};

template <Described T>
struct Codec<T> {
  static bool read(const json::Value& value, T& out, ErrorList& errors) {
    return T::fields().read(value, out, errors);
  }
  static json::Value schema() { return T::fields().schema(); }
  static std::string type() { return "object"; }
  static std::string show(const T&) { return ""; }
};

}  // namespace breakwire
