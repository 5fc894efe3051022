fn main() -> std::process::ExitCode {
    takar::main()
}
