// Verifies the default store, with a line of progress; Ctrl-C stops it, and nothing is left behind.
//   verify [NAME ...]
// Ends with 0 where all is well, 1 where something is wrong, 130 where it was stopped.
#include <modelkeep.hpp>

#include <csignal>
#include <iostream>

static volatile std::sig_atomic_t interrupted;

static void interrupt(int) { interrupted = 1; }

// Called on this thread, 20 times a second at most.
static bool show_progress(std::uint64_t bytes, std::uint64_t total) {
    std::cerr << '\r' << modelkeep::human_size(bytes) << " of " << modelkeep::human_size(total)
              << "    " << std::flush;
    return !interrupted;
}

static void print(const modelkeep::Report &report) {
    using modelkeep::view;
    for (const auto &blob : report.blobs())
        if (blob.status != MKEEP_BLOB_STATUS_OK)
            std::cout << view(blob.path) << ": " << view(blob.detail) << '\n';
    for (const auto &model : report.broken_models())
        std::cout << view(model.name) << " is broken\n";
    for (const auto &problem : report.problems()) std::cout << view(problem.message) << '\n';
    std::cout << report.size() << " blobs, " << modelkeep::human_size(report.hashed_bytes())
              << '\n';
}

int main(int argc, char *argv[]) try {
    std::signal(SIGINT, interrupt);
    const modelkeep::Store store;
    const auto report = store.verify({argv + 1, argv + argc}, {}, show_progress);
    std::cerr << '\r';
    print(report);
    return report.ok() ? 0 : 1;
} catch (const modelkeep::Error &error) {
    std::cerr << '\r' << error.what() << '\n';
    return error.status() == MKEEP_STATUS_CANCELLED ? 130 : 1;
}
