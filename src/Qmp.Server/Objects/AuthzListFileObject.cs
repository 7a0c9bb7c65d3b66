using System.Text;
using Qmp.Protocol;
using Qmp.Protocol.Qapi;
using Qmp.Protocol.Schema;
using Qmp.Protocol.Wire;

namespace Qmp.Server.Objects;

/// <summary>
/// The object type <c>authz-list-file</c>: an access list in a file, which is read again when it changes. While the
/// file is unusable nobody is let in. <b>Main</b>.
/// </summary>
/// <param name="log">Takes the line about a file that became unusable.</param>
internal sealed class AuthzListFileObject(Action<string> log) : AuthzObject("authz-list-file")
{
    private string _filename = string.Empty;
    private bool _refresh = true;
    private AuthzListObject? _list;
    private FileWatch? _watch;
    private bool _isLoading;
    private bool _hasChanged;

    /// <summary>What this type adds, in the order of listings.</summary>
    public static IReadOnlyList<QomProperty> OwnProperties { get; } =
    [
        QomProperty.Text<AuthzListFileObject>("filename", o => o._filename, (o, v) => o._filename = v),
        QomProperty.Boolean<AuthzListFileObject>("refresh", o => o._refresh, (o, v) => o._refresh = v),
    ];

    public override bool IsAllowed(string identity) => _list?.IsAllowed(identity) ?? false;

    /// <inheritdoc/>
    public override async ValueTask CompleteAsync(QomContainer objects)
    {
        // Watched first, so that no change is missed.
        _watch = _refresh ? new FileWatch(_filename, OnChanged) : null;
        _list = await LoadAsync(_filename);
    }

    public override ValueTask DisposeAsync()
    {
        _watch?.Dispose();
        _watch = null;
        return ValueTask.CompletedTask;
    }

    private static async ValueTask<AuthzListObject> LoadAsync(string path)
    {
        byte[] content;
        try
        {
            content = await SmallFile.ReadAsync(path);
        }
        catch (QmpException e)
        {
            throw new QmpException($"Unable to read '{path}': {e.Description}");
        }

        var document = JsonText.Parse(Encoding.UTF8.GetString(content));
        if (document.RootKind != QapiKind.Object)
        {
            throw new QmpException($"File '{path}' must contain a JSON object");
        }

        QapiReader reader = new(document);
        AuthzListObject list = new();
        list.SetAll(AuthZListProperties.Read(ref reader));
        return list;
    }

    // Changes while it is being read make it be read once more.
    private async void OnChanged()
    {
        _hasChanged = true;
        if (_isLoading)
        {
            return;
        }

        _isLoading = true;
        while (_hasChanged && _watch is not null)
        {
            _hasChanged = false;
            try
            {
                _list = await LoadAsync(_filename);
            }
            catch (QmpException e)
            {
                _list = null;
                log($"object '{Name}': {e.Description}");
            }
        }

        _isLoading = false;
    }
}
