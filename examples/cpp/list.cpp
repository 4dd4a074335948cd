// Prints the models of the default store as a table.
//   list
#include <modelkeep.hpp>

#include <algorithm>
#include <iomanip>
#include <iostream>

static void print(const modelkeep::List &list) {
    using modelkeep::view;
    std::size_t width = 4;
    for (const auto &model : list.models()) width = std::max(width, model.name.len);
    const auto row = [width](auto name, auto size, auto parameters, auto type, auto context) {
        std::cout << std::left << std::setw(static_cast<int>(width)) << name << "  " << std::right
                  << std::setw(10) << size << "  " << std::setw(10) << parameters << "  "
                  << std::left << std::setw(10) << type << "  " << std::right << std::setw(8)
                  << context << "  ";
    };
    row("NAME", "SIZE", "PARAMETERS", "TYPE", "CONTEXT");
    std::cout << "CAN\n";
    std::size_t index = 0;
    for (const auto &model : list.models()) {
        const auto bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(model.n_bytes, 0));
        row(view(model.name), modelkeep::human_size(bytes), view(model.parameter_size),
            view(model.quantization_level), model.context_length);
        const char *before = "";
        for (const auto capability : list.capabilities(index++)) {
            std::cout << before << capability;
            before = ", ";
        }
        std::cout << '\n';
    }
    for (const auto &problem : list.problems())
        std::cerr << "left out: " << view(problem.message) << '\n';
}

int main() try {
    mkeep_store_options options = {};
    options.read_only = 1;
    print(modelkeep::Store(options).list());
} catch (const modelkeep::Error &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
