from tornado_cc.cli import main

if __name__ == "__main__":
    main()
