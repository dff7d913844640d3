#include <cstdio>
#include <sstream>

#include "runtime/libraries/cublaslt.h"

namespace burnish::cublaslt {

namespace {

constexpr const char* activations[] = {"none", "relu", "gelu"};

/// Every number of a product, with its name.
template <class P, class F>
void for_each_number(P& p, const F& f) {
  f("m", p.m);
  f("n", p.n);
  f("k", p.k);
  f("lda", p.lda);
  f("ldb", p.ldb);
  f("ldd", p.ldd);
  f("batch", p.batch);
  f("stride_a", p.stride_a);
  f("stride_b", p.stride_b);
  f("stride_d", p.stride_d);
  f("alignment", p.alignment);
}
template <class P, class F>
void for_each_flag(P& p, const F& f) {
  f("tf32", p.tf32);
  f("transpose_a", p.transpose_a);
  f("transpose_b", p.transpose_b);
  f("bias", p.bias);
}
template <class P, class F>
void for_each_real(P& p, const F& f) {
  f("alpha", p.alpha);
  f("beta", p.beta);
}

}  // namespace

std::string print_algorithm(const Product& p) {
  std::string text = p.version + " w" + std::to_string(p.workspace) + " ";
  size_t words = 8;
  while (words > 1 && p.algorithm.data[words - 1] == 0) --words;
  for (size_t i = 0; i < words; ++i) {
    char word[20];
    std::snprintf(word, sizeof word, "%s%llx", i ? "-" : "",
                  static_cast<unsigned long long>(p.algorithm.data[i]));
    text += word;
  }
  return text;
}

bool read_algorithm(std::string_view text, Product& p) {
  std::istringstream in{std::string(text)};
  char w = 0, dash = '-';
  p.algorithm = {};
  if (!(in >> p.version >> w >> p.workspace) || w != 'w') return false;
  in >> std::hex;
  for (size_t i = 0; i < 8 && dash == '-'; ++i) {
    if (!(in >> p.algorithm.data[i])) return false;
    if (!in.get(dash)) dash = ' ';
  }
  return dash == ' ';
}

std::string print(const Product& p) {
  std::ostringstream out;
  out << print_algorithm(p) << " " << name_of(p.dtype);
  for_each_number(p, [&](const char* name, int64_t value) { out << " " << name << "=" << value; });
  for_each_flag(p, [&](const char* name, bool value) {
    if (value) out << " " << name << "=1";
  });
  for_each_real(p, [&](const char* name, float value) {
    char real[32];
    std::snprintf(real, sizeof real, "%a", static_cast<double>(value));
    out << " " << name << "=" << real;
  });
  out << " activation=" << activations[static_cast<size_t>(p.activation)];
  return out.str();
}

Result<Product> parse(std::string_view text) {
  const auto refuse = [&] {
    return Error(Code::incompatible_engine, "'" + std::string(text) + "' describes no product for cuBLASLt")
        .remedy("build the engine again with this version of Burnish");
  };
  Product p;
  std::istringstream in{std::string(text)};
  std::string version, workspace, words, dtype, field;
  if (!(in >> version >> workspace >> words >> dtype) ||
      !read_algorithm(version + " " + workspace + " " + words, p))
    return refuse();
  bool known = false;
  for (DType t : {DType::f16, DType::bf16, DType::f32})
    if (name_of(t) == dtype) p.dtype = t, known = true;
  while (known && in >> field) {
    const size_t equals = std::min(field.find('='), field.size());
    const std::string name = field.substr(0, equals),
                      value = field.substr(std::min(equals + 1, field.size()));
    bool read = false;
    const auto is = [&](const char* n) { return name == n && (read = true); };
    for_each_number(p, [&](const char* n, int64_t& x) {
      if (is(n)) x = std::atoll(value.c_str());
    });
    for_each_flag(p, [&](const char* n, bool& x) {
      if (is(n)) x = value == "1";
    });
    for_each_real(p, [&](const char* n, float& x) {
      if (is(n)) x = std::strtof(value.c_str(), nullptr);
    });
    for (size_t a = 0; a < 3; ++a)
      if (name == "activation" && value == activations[a])
        p.activation = static_cast<Product::Activation>(a), read = true;
    known = read;
  }
  if (!known || p.m <= 0 || p.n <= 0 || p.k <= 0 || p.batch <= 0 || p.workspace < 0) return refuse();
  return p;
}

}  // namespace burnish::cublaslt
