namespace Qmp.Sessions;

/// <summary>Cuts a stream of bytes into lines. Costs linear time however the bytes arrive.</summary>
internal sealed class LineBuffer
{
    private byte[] _bytes = new byte[16384];
    private int _start;
    private int _searched;
    private int _end;

    /// <summary>Bytes that belong to no complete line yet.</summary>
    public int Pending => _end - _start;

    /// <summary>Where the next bytes go; <see cref="Added"/> says how many came.</summary>
    /// <exception cref="InvalidDataException">A line is longer than allowed.</exception>
    public Memory<byte> Room()
    {
        if (_start > 0)
        {
            _bytes.AsSpan(_start, _end - _start).CopyTo(_bytes);
            _searched -= _start;
            _end -= _start;
            _start = 0;
        }

        if (_end == _bytes.Length)
        {
            if (_end > SessionLimits.LineBytes)
            {
                throw new InvalidDataException($"a line of more than {SessionLimits.LineBytes} bytes");
            }

            Array.Resize(ref _bytes, Math.Min(_bytes.Length * 2, SessionLimits.LineBytes + 2));
        }

        return _bytes.AsMemory(_end);
    }

    public void Added(int count) => _end += count;

    /// <summary>Takes a line without its ending, LF or CR LF. It is valid until the next call.</summary>
    public bool TryTake(out ReadOnlySpan<byte> line)
    {
        var length = _bytes.AsSpan(_searched, _end - _searched).IndexOf((byte)'\n');
        if (length < 0)
        {
            _searched = _end;
            line = default;
            return false;
        }

        var end = _searched + length;
        line = _bytes.AsSpan(_start, end - _start);
        if (line.EndsWith("\r"u8))
        {
            line = line[..^1];
        }

        _start = end + 1;
        _searched = _start;
        return true;
    }

    /// <summary>Takes what is there without a line ending.</summary>
    public ReadOnlySpan<byte> TakeRest()
    {
        var rest = _bytes.AsSpan(_start, _end - _start);
        _start = _end;
        _searched = _end;
        return rest;
    }
}
