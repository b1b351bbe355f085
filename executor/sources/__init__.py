"""Where the bytes of a locked file come from: folders, paths, servers and their mirrors.

Every file is read forwards and once, in bounded memory, and compared with the lock as it passes.

Doors: ``origins.Origins`` lists the origins of a step; ``acquire.acquire`` gets and unpacks one
wheel; ``client.HttpClient`` fetches; ``keychain.Keychain`` has the credentials;
``proxies.proxy_for`` and ``tls.tls_context`` are how both phases reach servers;
``verified.verified`` compares with the lock.

May import: wheels, environment, lock, archive, budget, files.
"""
