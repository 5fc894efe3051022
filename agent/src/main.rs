fn main() -> std::process::ExitCode {
    takar_agent::main()
}
